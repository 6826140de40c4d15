package replay_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"passbook/es/checkpoint"
	"passbook/es/replay"
)

// scene is a restore that was asked for, of a line whose rows are wrong, with a
// projection that has more to read than the replay holds.
type scene struct {
	*world
	asked replay.Restore
	old   map[string]string // the rows of the old line
	fails bool              // the restore can only fail
}

func newScene(t *testing.T) *scene {
	t.Helper()
	w := newWorld(t)
	w.happen(2, streams(4)...)
	w.project()
	w.spoil("s00", "s01")
	s := &scene{world: w, old: w.rows(table), asked: w.request()}
	return s
}

// never checks that queries are answered from one line or the other.
func (s *scene) never(what string) {
	s.Helper()
	now := s.rows(table)
	if fmt.Sprint(now) != fmt.Sprint(s.old) {
		require.Equal(s, s.expected(), now, what)
	}
}

// settled checks what holds when everybody has had the time that it takes.
func (s *scene) settled(what string) {
	s.Helper()
	r := s.find(s.asked.ID)
	if s.fails {
		require.Equal(s, replay.StateFailed, r.State, "%s: %+v", what, r)
		require.Equal(s, s.old, s.rows(table), what)
	} else {
		require.Equal(s, replay.StateDone, r.State, "%s: %+v", what, r)
		require.EqualValues(s, 8, r.Events, what)
		require.Equal(s, s.expected(), s.rows(table), what)
	}
	_, next := s.lines()
	require.Empty(s, next, what)
	require.Empty(s, s.rows("next_"+table), what)
	require.Empty(s, s.replayTopics(), what)
}

// part is a publisher or a builder, to be run once as a process.
type part struct {
	name string
	run  func(s *scene, p *process) error
	// before brings the restore to where the part begins.
	before func(s *scene)
}

func parts() []part {
	publisher := func(s *scene, p *process) error { return p.publisher().RunOnce(s.Context()) }
	builder := func(s *scene, p *process) error { return s.builder(p).RunOnce(s.Context()) }
	publish := func(s *scene) { require.NoError(s, publisher(s, s.process())) }
	return []part{
		{"publisher", publisher, func(*scene) {}},
		{"builder", builder, func(s *scene) {
			publish(s)
			s.happen(1, streams(5)...)
		}},
		{"failing builder", builder, func(s *scene) {
			publish(s)
			s.fails, s.world.fails = true, poison("s01", 1)
		}},
		{"cleaner", publisher, func(s *scene) {
			publish(s)
			require.NoError(s, builder(s, s.process()))
			s.old = s.rows(table)
		}},
	}
}

// TestCrash_AtEveryPoint lets a process die before, in and after everything that
// it does, and another go on.
func TestCrash_AtEveryPoint(t *testing.T) { everywhere(t, true) }

// TestFault_AtEveryPoint lets everything that a process does fail once.
func TestFault_AtEveryPoint(t *testing.T) { everywhere(t, false) }

func everywhere(t *testing.T, deadly bool) {
	t.Helper()
	for _, part := range parts() {
		t.Run(part.name, func(t *testing.T) {
			t.Parallel()
			points := make(map[string]bool)
			for _, when := range []string{"before", "within", "after"} {
				for count := 1; ; count++ {
					op, seen := happen(t, part, count, when, deadly)
					if seen < count {
						break
					}
					points[when+" "+op] = true
				}
			}
			t.Logf("%s: %d kinds of points", part.name, len(points))
			for _, named := range map[string][]string{
				"publisher": {"before head", "after head", "before read the store", "after open topic", "before publish", "after publish", "after bounds"},
				"builder": {
					"before begin", "within begin", "after begin", "within next update", "after next update", "before read topic",
					"before swap", "within swap", "after swap", "after publish", "after acquire", "before release",
				},
				"failing builder": {"before drop", "after drop", "before swap", "after publish"},
				"cleaner":         {"before delete topic", "after delete topic", "before list topics"},
			}[part.name] {
				require.True(t, points[named], "nothing failed %s", named)
			}
		})
	}
}

// happen lets one operation of a part fail. It returns which, if that operation
// has such a moment, and how many operations there were.
func happen(t *testing.T, part part, count int, when string, deadly bool) (op string, seen int) {
	t.Helper()
	s := newScene(t)
	part.before(s)
	accident := at(count, when, deadly)
	err := part.run(s, s.mortal(accident.fate))
	what := fmt.Sprintf("operation %d, %s %s", count, when, accident.hit)
	s.never(what)
	if accident.hit == "" {
		require.NoError(t, err)
		return "", accident.seen
	}
	s.goOn(what)
	return accident.hit, accident.seen
}

// goOn lets other processes bring the restore to its end.
func (s *scene) goOn(what string) {
	s.Helper()
	for range 3 {
		require.NoError(s, s.process().publisher().RunOnce(s.Context()), what)
		s.never(what)
		require.NoError(s, s.builder(s.process()).RunOnce(s.Context()), what)
		s.never(what)
	}
	s.settled(what)
	if s.fails {
		return
	}
	s.happen(1, streams(6)...)
	s.project()
	require.Equal(s, s.expected(), s.rows(table), what)
}

// TestCrash_Twice: who goes on dies as well.
func TestCrash_Twice(t *testing.T) {
	t.Parallel()
	builder := parts()[1]
	whens := []string{"before", "within", "after"}
	for first := 1; first < 90; first += 11 {
		for second := 1; second < 90; second += 9 {
			s := newScene(t)
			builder.before(s)
			for i, count := range []int{first, second} {
				accident := at(count, whens[(first+second+i)%3], true)
				_ = builder.run(s, s.mortal(accident.fate))
				s.never("dead")
			}
			s.goOn(fmt.Sprintf("deaths at %d and %d", first, second))
		}
	}
}

// TestRestore_CutShort: whoever is told to stop gives its lease back, and what it
// has begun is begun again.
func TestRestore_CutShort(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	require.NoError(t, s.process().publisher().RunOnce(t.Context()))
	ctx, stop := context.WithCancel(t.Context())
	updates := 0
	fate := &fate{decide: func(op, when string) error {
		if op == "next update" && when == "after" {
			if updates++; updates == 4 {
				stop()
			}
		}
		return nil
	}}
	require.NoError(t, s.builder(s.mortal(fate)).Run(ctx))
	require.Equal(t, 4, updates)
	other := s.process()
	other.holder = "b" // the lease is free for anybody
	require.NoError(t, s.builder(other).RunOnce(t.Context()))
	require.Equal(t, replay.StateDone, s.find(s.asked.ID).State)
	require.Equal(t, s.expected(), s.rows(table))
}

// TestCrash_BehindSwap: whoever goes on finds out that the line was swapped in,
// and does not build another.
func TestCrash_BehindSwap(t *testing.T) {
	t.Parallel()
	for _, deadly := range []bool{true, false} {
		s := newScene(t)
		require.NoError(t, s.process().publisher().RunOnce(t.Context()))
		swapped, dead := "", false
		fate := &fate{decide: func(op, when string) error {
			if op == "swap" && when == "after" {
				swapped, _ = s.lines()
				dead = deadly
				return errBroken
			}
			if dead {
				return errBroken
			}
			return nil
		}}
		err := s.builder(s.mortal(fate)).RunOnce(t.Context())
		if deadly {
			require.ErrorIs(t, err, errBroken)
			require.Equal(t, replay.StepSwapping, s.find(s.asked.ID).Step)
			require.NoError(t, s.builder(s.process()).RunOnce(t.Context()))
		} else {
			require.NoError(t, err)
		}
		live, next := s.lines()
		require.NotEmpty(t, swapped)
		require.Equal(t, swapped, live)
		require.Empty(t, next)
		done := s.find(s.asked.ID)
		require.Equal(t, replay.StateDone, done.State)
		require.EqualValues(t, 8, done.Events)
	}
}

// TestRace_LateBuilder: a builder that was paused, and whose lease was taken,
// writes nothing into the line of the one that has taken it, and begins none.
func TestRace_LateBuilder(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	require.NoError(t, s.process().publisher().RunOnce(t.Context()))
	begun, goOn, done := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	updates := 0
	other := &fate{decide: func(op, when string) error {
		if op == "next update" && when == "after" {
			if updates++; updates == partitions+1 { // behind the first events
				close(begun)
				<-goOn
			}
		}
		return nil
	}}
	late := 0
	paused := &fate{decide: func(op, when string) error {
		if op == "next update" && when == "after" {
			if late++; late == partitions+1 {
				b := s.builder(s.mortal(other)) // the same holder gets the lease at once
				go func() { done <- b.RunOnce(s.Context()) }()
				<-begun
			}
		}
		return nil
	}}
	require.ErrorIs(t, s.builder(s.mortal(paused)).RunOnce(t.Context()), checkpoint.ErrLost)
	require.Equal(t, partitions+1, late, "it has committed nothing more")
	close(goOn)
	require.NoError(t, <-done)
	s.goOn("the other one goes on")
}

// TestRace_LatePublisher: a publisher that was paused, and whose lease was taken,
// says nothing more, and leaves the other's topic alone.
func TestRace_LatePublisher(t *testing.T) {
	t.Parallel()
	for op, moment := range map[string]string{"head": "after", "publish": "after", "list topics": "before"} {
		s := newScene(t)
		paused := false
		fate := &fate{decide: func(now, when string) error {
			if now == op && when == moment && !paused {
				paused = true
				return s.process().publisher().RunOnce(s.Context()) // the same holder gets the lease at once
			}
			return nil
		}}
		require.Error(t, s.mortal(fate).publisher().RunOnce(t.Context()), op)
		require.True(t, paused)
		require.Equal(t, replay.StepPublished, s.find(s.asked.ID).Step, op)
		require.NoError(t, s.builder(s.process()).RunOnce(t.Context()))
		s.goOn("paused at " + op)
	}
}
