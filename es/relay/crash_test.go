package relay_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"passbook/es/bus"
)

// death is where a relay dies: at the count-th operation, before it happens,
// after, or, of a call of Publish, in its middle.
type death struct {
	count int
	when  string
}

// fatal returns a mortal whose relay dies so, and a way to learn what it was
// about to do. Once it is dead nothing that it does has any effect.
func fatal(w *world, d death) (m *mortal, last func() string) {
	seen, dead, at := 0, false, "the end"
	m = &mortal{world: w}
	die := func(op string) error {
		dead, at = true, op
		return errDead
	}
	m.before = func(op string) error {
		if dead {
			return errDead
		}
		if seen++; seen != d.count {
			return nil
		}
		switch {
		case d.when == "before":
			return die(op)
		case d.when == "in the middle of" && op == "publish":
			w.broker.onPublish = func([]bus.Placed) outcome {
				w.broker.onPublish = nil
				return outcome{err: die(op), arrive: func(p int32) int { return 1 - int(p)%2 }}
			}
		}
		return nil
	}
	m.after = func(op string) error {
		if !dead && seen == d.count && d.when == "after" {
			return die(op)
		}
		if dead {
			return errDead
		}
		return nil
	}
	return m, func() string { return at }
}

// TestCrash_AtEveryPoint lets a relay die before, in and after everything that
// it does, and the next one go on.
func TestCrash_AtEveryPoint(t *testing.T) {
	points := make(map[string]int)
	for _, when := range []string{"before", "in the middle of", "after"} {
		for count := 1; ; count++ {
			point, ended := crash(t, death{count, when})
			if ended {
				require.Greater(t, count, 15, "operations that were crashed")
				break
			}
			points[when+" "+point]++
		}
	}
	for _, named := range []string{
		"before acquire", "after acquire", "before load", "after load", // with the lease, without its checkpoint
		"before open", "after open", "before bounds", "after bounds", "before read", "after read", // in resuming
		"before producer", "after producer", // resumed
		"before publish", "in the middle of publish", "after publish", // before the checkpoint
		"before save", "after save", "before release", "after release",
	} {
		require.Positive(t, points[named], "no relay died %s", named)
	}
}

// crash runs a relay until it dies, and then another. It returns what the first
// was doing, and whether it came to its end.
func crash(t *testing.T, d death) (point string, ended bool) {
	t.Helper()
	w := newWorld()
	w.store.fill(11)
	require.NoError(t, w.relay("a").RunOnce(t.Context()))
	saved := w.saved(t)
	require.NoError(t, w.relay("a").RunToEnd(t.Context()))
	lease, err := w.checkpoints.Acquire(t.Context(), "relay", "a", 1)
	require.NoError(t, err)
	require.NoError(t, w.checkpoints.Save(t.Context(), lease, saved)) // so that there is something to read
	w.store.fill(14)

	m, last := fatal(w, d)
	err = m.relay(settings("a")).RunToEnd(t.Context())
	if last() == "the end" {
		require.NoError(t, err)
		require.NoError(t, w.exact())
		return last(), d.when != "in the middle of" || d.count > 100
	}
	require.ErrorIs(t, err, errDead)
	w.broker.onPublish = nil
	w.expire()
	what := fmt.Sprintf("it died %s %s, operation %d", d.when, last(), d.count)
	require.NoError(t, w.relay("b").RunToEnd(t.Context()), what)
	require.NoError(t, w.exact(), what)
	require.NoError(t, w.settled(t.Context()), what)
	return last(), false
}

// TestCrash_Twice: the relay that goes on dies as well.
func TestCrash_Twice(t *testing.T) {
	for first := 1; first < 40; first += 3 {
		for second := 1; second < 40; second++ {
			w := newWorld()
			w.store.fill(23)
			for _, count := range []int{first, second} {
				m, _ := fatal(w, death{count, []string{"before", "in the middle of", "after"}[(first+second)%3]})
				_ = m.relay(settings("a")).RunToEnd(t.Context())
				w.broker.onPublish = nil
				w.expire()
			}
			require.NoError(t, w.relay("b").RunToEnd(t.Context()))
			require.NoError(t, w.exact(), "deaths at %d and %d", first, second)
		}
	}
}
