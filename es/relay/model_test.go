package relay_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"passbook/es/bus"
)

// step is one thing that happens in a random history of a world. The actor is
// a relay, the number counts events, records or operations.
type step struct {
	what   string
	actor  string
	number int
	// during is what happens in the middle of a relay's call of Publish; the
	// relay then goes on, late if its lease is gone.
	during []step
	// arrive and fail say what becomes of that call.
	arrive int
	fail   bool
}

func (s step) String() string {
	text := fmt.Sprintf("%s %s %d", s.what, s.actor, s.number)
	if len(s.during) > 0 || s.fail {
		text += fmt.Sprintf(" (during: %v, fail %t, arrive %d)", s.during, s.fail, s.arrive)
	}
	return strings.TrimSpace(text)
}

// Losses break the order of first records; everything else must not.
var (
	harmless = []string{"append", "append", "run", "run", "once", "die", "forget", "steal", "foreign"}
	losses   = []string{"tail", "tail", "head", "recreate"}
)

// steps draws a history. Within a call of Publish less can happen: there is one
// relay that goes on late at a time.
func steps(kinds []string) *rapid.Generator[[]step] {
	inner := rapid.Custom(func(t *rapid.T) step { return draw(t, kinds, nil) })
	outer := rapid.Custom(func(t *rapid.T) step { return draw(t, kinds, inner) })
	return rapid.SliceOfN(outer, 1, 25)
}

func draw(t *rapid.T, kinds []string, inner *rapid.Generator[step]) step {
	s := step{
		what:   rapid.SampledFrom(kinds).Draw(t, "what"),
		actor:  "a",
		number: rapid.IntRange(1, 12).Draw(t, "number"),
		arrive: rapid.IntRange(0, 3).Draw(t, "arrive"),
		fail:   rapid.IntRange(0, 2).Draw(t, "fail") == 0,
	}
	if inner == nil {
		s.actor = "b" // another than the one that is under way
	} else if rapid.Bool().Draw(t, "during") {
		s.during = rapid.SliceOfN(inner, 1, 4).Draw(t, "steps")
	}
	return s
}

// starter makes a relay of a world; what it returns runs it, for one page or to
// the end.
type starter func(m *mortal, holder string) (once, toEnd runner)

func sound(m *mortal, holder string) (once, toEnd runner) {
	r := m.relay(settings(holder))
	return r.RunOnce, r.RunToEnd
}

// play lets a history happen, then a relay that nothing disturbs run, and says
// what is not as it has to be.
func play(ctx context.Context, history []step, start starter, inOrder bool) error {
	w := newWorld()
	for _, s := range history {
		w.happen(ctx, s, start)
	}
	w.broker.onPublish = nil
	w.expire()
	_, finish := start(&mortal{world: w}, "r")
	for range 2 { // a relay that could not know it before may find a loss in the first run
		if err := finish(ctx); err == nil {
			break
		}
	}
	faults := []error{w.complete()}
	if inOrder {
		faults = append(faults, w.ordered())
	}
	before := w.broker.count()
	_, again := start(&mortal{world: w}, "r")
	if err := again(ctx); err != nil {
		faults = append(faults, err)
	}
	if n := w.broker.count(); n != before {
		faults = append(faults, fmt.Errorf("a relay that starts on a sound topic publishes %d records again", n-before))
	}
	return errors.Join(faults...)
}

// happen does one step. What a relay returns does not matter: what it does
// must be right whatever it thinks of it.
func (w *world) happen(ctx context.Context, s step, start starter) {
	partition := int32(s.number % partitions)
	switch s.what {
	case "append":
		w.store.fill(s.number)
	case "forget":
		w.forget()
	case "steal":
		w.expire()
	case "foreign":
		w.broker.put(partition, bus.Message{Value: []byte("foreign")})
	case "tail":
		w.broker.loseTail(partition, 1+s.number/partitions)
	case "head":
		w.broker.truncate(partition, 1+s.number/partitions)
	case "recreate":
		w.broker.recreate()
	case "die":
		m, _ := fatal(w, death{s.number * 3, []string{"before", "after", "in the middle of"}[s.arrive%3]})
		_, toEnd := start(m, s.actor)
		_ = toEnd(ctx)
	case "once", "run":
		w.disturb(ctx, s, start)
		once, toEnd := start(&mortal{world: w}, s.actor)
		if s.what == "once" {
			_ = once(ctx)
		} else {
			_ = toEnd(ctx)
		}
	}
}

// disturb prepares what is to happen in one of the next calls of Publish. It
// takes the place of what was to happen before, and is over with one call.
func (w *world) disturb(ctx context.Context, s step, start starter) {
	calls := s.number % 3
	w.broker.onPublish = func([]bus.Placed) outcome {
		if calls--; calls >= 0 {
			return outcome{}
		}
		w.broker.onPublish = nil
		for _, inner := range s.during {
			w.happen(ctx, inner, start)
		}
		w.broker.onPublish = nil
		if s.fail {
			return outcome{err: errRefused, arrive: func(p int32) int { return (s.arrive + int(p)) % 4 }}
		}
		return outcome{}
	}
}

// TestModel plays random histories: relays that publish, fail, die at any
// point, lose their lease and go on late, lose their checkpoint; beside them
// events come, and records that are none. In the end every event is in the
// topic, first records in order, and repeats are equal.
func TestModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		history := steps(harmless).Draw(rt, "history")
		require.NoError(rt, play(t.Context(), history, sound, true))
	})
}

// TestModel_Losses has the broker lose records as well, at either end, or the
// whole topic. In the end each partition has every event behind all those
// before it, though some may have come too early as well, and repeats are equal.
func TestModel_Losses(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		history := steps(append(append([]string(nil), harmless...), losses...)).Draw(rt, "history")
		require.NoError(rt, play(t.Context(), history, sound, false))
	})
}
