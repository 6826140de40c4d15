package eventstore_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"passbook/es/event"
	"passbook/es/eventstore"
)

// late is a group that was sent, and whose answer was lost: it may arrive at
// any time, in its place or not at all, whole or cut off behind a commit.
type late struct {
	first int64
	group commits
}

// arrive is what a database does with a group that it gets late: the place
// decides, as an index on positions does; ids are not looked at. It returns
// whether anything went in.
func (e *engine) arrive(l late, count int) bool {
	if l.first != e.top()+1 {
		return false
	}
	written := 0
	for _, c := range l.group[:min(count, len(l.group))] {
		out, _ := e.EventStore.Append(context.Background(), e.top()+1, commits{c})
		if out[0].State != eventstore.Written || len(c.Events) > 0 && out[0].Position != e.top()-int64(len(c.Events))+1 {
			break
		}
		written++
	}
	return written > 0
}

// attempt is what an engine does in a test at one call of Append.
type attempt func(e *engine, first int64, group commits) (outcomes, error)

// script answers one call after the other; those behind it go through.
func script(e *engine, attempts ...attempt) {
	e.onAppend = func(ctx context.Context, first int64, group commits) (outcomes, error) {
		if len(attempts) == 0 {
			return e.EventStore.Append(ctx, first, group)
		}
		next := attempts[0]
		attempts = attempts[1:]
		return next(e, first, group)
	}
}

// TestAmbiguousCommitLandsTwice: an attempt ends with an error, and its group is
// there all the same, or will be. Every caller is acknowledged, and every commit
// is there once, with its own event ids, where its receipt says.
func TestAmbiguousCommitLandsTwice(t *testing.T) {
	t.Parallel()
	for name, attempts := range ambiguities() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				e := newEngine(t)
				e.features.SharedWriters = true
				e.elsewhere(opening("account", 3))
				script(e, attempts()...)
				gate := newFirstGate(e)
				store := start(t, e, eventstore.Config{})
				submit(t, store, opening("before", 1), nil)
				<-gate.arrived
				group := commits{
					commit("account", 2, 1), commit("account", 3, 2), keyed(opening("other", 3), "k"), opening("third", 1),
				}
				pending := make([]*eventstore.Pending, len(group))
				for i, c := range group {
					pending[i] = submit(t, store, c, nil)
				}
				gate.open <- struct{}{}
				for i, c := range group {
					receipt, err := wait(pending[i])
					require.NoError(t, err, "commit %d", i)
					require.Equal(t, c.Expected+int64(len(c.Events)), receipt.Version)
					requireOnce(t, e, c, receipt)
				}
			})
		})
	}
}

// ambiguities begins each story with the group of "before", which goes through.
func ambiguities() map[string]func() []attempt {
	good := func(e *engine, first int64, group commits) (outcomes, error) {
		return e.EventStore.Append(context.Background(), first, group)
	}
	lost := func(*engine, int64, commits) (outcomes, error) { return nil, errLost }
	refused := func(*engine, int64, commits) (outcomes, error) { return nil, notWritten() }
	notTried := func(_ *engine, _ int64, group commits) (outcomes, error) { return make(outcomes, len(group)), nil }
	// landed brings in the first commits of the group, and then loses the answer.
	landed := func(count int) attempt {
		return func(e *engine, first int64, group commits) (outcomes, error) {
			if !e.arrive(late{first, group}, count) {
				e.t.Error("the story is wrong: nothing can arrive here")
			}
			return nil, errLost
		}
	}
	foreign := func(then attempt) attempt {
		return func(e *engine, first int64, group commits) (outcomes, error) {
			e.elsewhere(opening(event.NewID(), 2))
			return then(e, first, group)
		}
	}
	return map[string]func() []attempt{
		"arrived, answer lost":      func() []attempt { return []attempt{good, landed(4)} },
		"not arrived, answer lost":  func() []attempt { return []attempt{good, lost} },
		"arrived in part":           func() []attempt { return []attempt{good, landed(2)} },
		"arrived in part, twice":    func() []attempt { return []attempt{good, landed(1), good, landed(2)} },
		"answer lost five times":    func() []attempt { return []attempt{good, lost, lost, lost, lost, landed(4)} },
		"refused after the doubt":   func() []attempt { return []attempt{good, landed(4), refused, refused} },
		"not seen after the doubt":  func() []attempt { return []attempt{good, landed(4), notTried} },
		"place taken by another":    func() []attempt { return []attempt{good, lost, foreign(good)} },
		"arrived, others followed":  func() []attempt { return []attempt{good, landed(4), foreign(good)} },
		"in part, others followed":  func() []attempt { return []attempt{good, landed(2), foreign(lost), good, landed(1)} },
		"displaced, then in doubt":  func() []attempt { return []attempt{good, foreign(good), landed(4)} },
		"arrives before the second": func() []attempt { return arrivesLate(good, 1, good) },
		"arrives before the third":  func() []attempt { return arrivesLate(good, 1, lost, good) },
		"arrives behind the second": func() []attempt { return arrivesLate(good, 2, good, good) },
		"first arrives, as the second is in doubt": func() []attempt {
			return arrivesLate(good, 2, lost, refused, notTried, good)
		},
	}
}

// arrivesLate sends a group, loses its answer, and has the group arrive before
// one of the attempts that follow: each time what is left of it.
func arrivesLate(good attempt, before int, rest ...attempt) []attempt {
	var sent late
	story := []attempt{good, func(_ *engine, first int64, group commits) (outcomes, error) {
		sent = late{first, group}
		return nil, errLost
	}}
	for i, next := range rest {
		story = append(story, func(e *engine, first int64, group commits) (outcomes, error) {
			if i+1 >= before {
				e.arrive(sent, len(sent.group))
			}
			return next(e, first, group)
		})
	}
	return story
}

// TestDoubtIsNeverUnavailable: after one doubtful attempt, no number of clean
// failures proves anything; the group may still arrive.
func TestDoubtIsNeverUnavailable(t *testing.T) {
	t.Parallel()
	for name, arrived := range map[string]int{"nothing has arrived": 0, "a part has arrived": 1} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				e := newEngine(t)
				var sent late
				var down atomic.Bool
				down.Store(true)
				e.onAppend = func(ctx context.Context, first int64, group commits) (outcomes, error) {
					switch {
					case sent.group == nil:
						sent = late{first, group}
						e.arrive(sent, arrived)
						return nil, errLost
					case down.Load() && arrived > 0 && len(group) == len(sent.group):
						out := make(outcomes, len(group)) // what has arrived is seen, the rest is not
						out[0] = eventstore.Outcome{State: eventstore.Written, Position: first}
						return out, nil
					case down.Load():
						return nil, notWritten()
					}
					return e.EventStore.Append(ctx, first, group)
				}
				store, err := eventstore.New(t.Context(), e, eventstore.Config{Logger: quiet()})
				require.NoError(t, err)
				a, b := opening("a", 2), opening("b", 1)
				pa, pb := submit(t, store, a, nil), submit(t, store, b, nil)
				ctx, cancel := context.WithCancel(t.Context())
				ran := make(chan error)
				go func() { ran <- store.Run(ctx) }()

				elapse(time.Minute) // of the bubble's clock: far longer than UnavailableAfter
				synctest.Wait()
				require.False(t, settled(pb), "nobody can say yet")
				require.Equal(t, arrived > 0, settled(pa))
				e.arrive(late{e.top() + 1, sent.group[arrived:]}, 2) // now it comes
				down.Store(false)
				for i, p := range []*eventstore.Pending{pa, pb} {
					receipt, err := wait(p)
					require.NoError(t, err)
					requireOnce(t, e, commits{a, b}[i], receipt)
				}
				cancel()
				require.NoError(t, <-ran)
			})
		})
	}
}

// TestOwnPlace: the place that the head shows as taken may have been taken by
// the very group that is in doubt, and then nothing proves that it is not there.
func TestOwnPlace(t *testing.T) {
	t.Parallel()
	for name, second := range map[string]attempt{
		"seen in part": func(e *engine, first int64, group commits) (outcomes, error) {
			out, err := e.EventStore.Append(context.Background(), first, group[:1])
			return append(out, make(outcomes, len(group)-1)...), err // behind what arrived an engine may stop
		},
		"not seen": func(_ *engine, _ int64, group commits) (outcomes, error) { return make(outcomes, len(group)), nil },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				e := newEngine(t)
				attempts := []attempt{func(e *engine, first int64, group commits) (outcomes, error) {
					e.arrive(late{first, group}, len(group))
					return nil, errLost
				}, second}
				for range 40 { // far longer than UnavailableAfter
					attempts = append(attempts, func(*engine, int64, commits) (outcomes, error) { return nil, notWritten() })
				}
				script(e, attempts...)
				store, err := eventstore.New(t.Context(), e, eventstore.Config{Logger: quiet()})
				require.NoError(t, err)
				a, b := submit(t, store, opening("a", 2), nil), submit(t, store, opening("b", 1), nil)
				ctx, cancel := context.WithCancel(t.Context())
				ran := make(chan error)
				go func() { ran <- store.Run(ctx) }()
				requireWritten(t, a, 1, 2)
				requireWritten(t, b, 0, 3)
				cancel()
				require.NoError(t, <-ran)
			})
		})
	}
}

// TestRefusalBehindDoubt: of a group in doubt, the engine tells a refusal that
// it knows about. That says nothing of what stands before it, nor does a version
// check that held when the group was sent.
func TestRefusalBehindDoubt(t *testing.T) {
	t.Parallel()
	for name, group := range map[string]commits{
		"refused behind":      {opening("a", 1), commit("bad", 5, 1)},
		"refused check first": {commit("checked", event.NoVersion, 0), opening("a", 1)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				e := newEngine(t)
				var sent late
				down := &atomic.Bool{}
				down.Store(true)
				e.onAppend = func(ctx context.Context, first int64, now commits) (outcomes, error) {
					switch {
					case sent.group == nil:
						sent = late{first, now}
						return nil, errLost
					case len(now) == 2:
						out := make(outcomes, 2)
						for i, c := range now {
							if c.Stream != "a" {
								out[i] = eventstore.Outcome{State: eventstore.Conflict, Actual: 7}
							}
						}
						return out, nil
					case down.Load():
						return nil, notWritten()
					}
					return e.EventStore.Append(ctx, first, now)
				}
				store, err := eventstore.New(t.Context(), e, eventstore.Config{Logger: quiet()})
				require.NoError(t, err)
				a := map[string]*eventstore.Pending{}
				for _, c := range group {
					a[c.Stream] = submit(t, store, c, nil)
				}
				ctx, cancel := context.WithCancel(t.Context())
				ran := make(chan error)
				go func() { ran <- store.Run(ctx) }()
				elapse(time.Minute)
				synctest.Wait()
				require.False(t, settled(a["a"]), "it may be on its way")
				e.arrive(sent, 2)
				down.Store(false)
				requireWritten(t, a["a"], 0, 1)
				cancel()
				require.NoError(t, <-ran)
			})
		})
	}
}

// TestDoubtEnds: once another's event is known to stand in the group's place, a
// failure is a failure again.
func TestDoubtEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEngine(t)
		down := false
		e.onAppend = func(ctx context.Context, first int64, group commits) (outcomes, error) {
			switch len(e.groups) {
			case 1:
				e.elsewhere(opening("theirs", 1))
				return nil, errLost
			case 2: // the place is taken
				return e.EventStore.Append(ctx, first, group)
			case 3: // and it was not we who took it
				e.elsewhere(opening("theirs too", 1))
				return e.EventStore.Append(ctx, first, group)
			}
			down = true
			return nil, notWritten()
		}
		store := start(t, e, eventstore.Config{})
		_, err := store.Append(t.Context(), opening("a", 1))
		require.ErrorIs(t, err, eventstore.ErrUnavailable)
		require.True(t, down)
		require.Equal(t, event.NoVersion, e.version("a"))
	})
}

// TestRandomFaults has clients write through two stores on one engine, which
// loses answers, arrives late, in part or not at all, and is down at times. What
// a client was told is so in the end.
func TestRandomFaults(t *testing.T) {
	t.Parallel()
	seeds := 150
	if testing.Short() {
		seeds = 20
	}
	for seed := range uint64(seeds) {
		synctest.Test(t, func(t *testing.T) {
			defer func() {
				if t.Failed() {
					t.Log("seed", seed)
				}
			}()
			randomFaults(t, rand.New(rand.NewPCG(seed, 7)))
		})
	}
}

// unreliable breaks an engine in turn in all the ways that its contract allows.
func unreliable(e *engine, random *rand.Rand) (drain func()) {
	var floating []late
	land := func() {
		for i := range floating {
			if random.IntN(3) == 0 && e.arrive(floating[i], 1+random.IntN(5)) {
				floating[i].group = nil
			}
		}
	}
	e.onAppend = func(ctx context.Context, first int64, group commits) (outcomes, error) {
		land()
		elapse(time.Duration(random.IntN(3000)) * time.Microsecond)
		switch random.IntN(8) {
		case 0:
			return nil, notWritten()
		case 1:
			floating = append(floating, late{first, group})
			return nil, errLost
		case 2:
			e.arrive(late{first, group}, random.IntN(len(group)+1))
			return nil, errLost
		case 3:
			_, _ = e.EventStore.Append(ctx, first, group)
			return nil, errLost
		case 4:
			return make(outcomes, len(group)), nil
		}
		return e.EventStore.Append(ctx, first, group)
	}
	e.onHead = func(ctx context.Context) (int64, error) {
		land()
		if random.IntN(6) == 0 {
			return 0, errLost
		}
		return e.EventStore.Head(ctx)
	}
	return func() {
		for range 50 {
			land()
		}
	}
}

// told is what a client was told of a commit.
type told struct {
	commit  eventstore.Commit
	receipt eventstore.Receipt
	err     error
}

func randomFaults(t *testing.T, random *rand.Rand) {
	t.Helper()
	shared := newEngine(t)
	var stores []*eventstore.Store
	var drains []func()
	answers := make(chan []told)
	clients := 0
	for range 2 {
		e := &engine{EventStore: shared.EventStore, t: t, features: eventstore.Features{SharedWriters: true}}
		store, err := eventstore.New(t.Context(), e, eventstore.Config{GroupEvents: 1 + random.IntN(20), Logger: quiet()})
		require.NoError(t, err)
		drains = append(drains, unreliable(e, rand.New(rand.NewPCG(random.Uint64(), 1))))
		stores = append(stores, store)
		for range 4 {
			clients++
			own := rand.New(rand.NewPCG(random.Uint64(), 1))
			go func() { answers <- chains(t, store, shared, own) }()
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	ran := make(chan error)
	for _, store := range stores {
		go func() { ran <- store.Run(ctx) }()
	}
	var all []told
	for range clients {
		all = append(all, <-answers...)
	}
	cancel()
	for range stores {
		require.NoError(t, <-ran)
	}
	for _, drain := range drains {
		drain()
	}
	checkTold(t, shared, all)
}

func checkTold(t *testing.T, e *engine, all []told) {
	t.Helper()
	written := 0
	for _, a := range all {
		if a.err == nil {
			written += len(a.commit.Events)
			requireOnce(t, e, a.commit, a.receipt)
			continue
		}
		require.NotErrorIs(t, a.err, eventstore.ErrOutcomeUnknown, "nobody gave up")
		requireAbsent(t, e, a.commit)
	}
	require.Equal(t, int64(written), e.top(), "more is there than was acknowledged")
}

// chains submits chains of commits on few streams, each decided on the one
// before while that is in flight.
func chains(t *testing.T, store *eventstore.Store, e *engine, random *rand.Rand) (all []told) {
	for range 6 {
		stream := fmt.Sprint(random.IntN(3))
		expected := e.version(stream)
		var after *eventstore.Pending
		var pending []*eventstore.Pending
		begin := len(all)
		for range 1 + random.IntN(4) {
			c := commit(stream, expected, random.IntN(3))
			p, err := store.Submit(c, after)
			if err != nil {
				t.Error(err)
				return all
			}
			all, pending, after = append(all, told{commit: c}), append(pending, p), p
			expected += int64(len(c.Events))
			elapse(time.Duration(random.IntN(2000)) * time.Microsecond)
		}
		for i, p := range pending {
			all[begin+i].receipt, all[begin+i].err = wait(p)
		}
	}
	return all
}
