package eventstore_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"passbook/es/event"
	"passbook/es/eventstore"
)

// TestRefusalBehindADoubtfulCommit: the first attempt ends in doubt and is still
// on its way. A refusal of another commit, further behind, or of a mere version
// check in front, proves nothing of the one in doubt: it may arrive yet, and its
// caller must never hear that it did not.
func TestRefusalBehindADoubtfulCommit(t *testing.T) {
	t.Parallel()
	conflict := eventstore.Outcome{State: eventstore.Conflict, Actual: 1}
	check := eventstore.Commit{Stream: "c", Expected: event.NoVersion}
	for name, c := range map[string]struct {
		group  commits
		answer outcomes
	}{
		"Behind": {commits{opening("b", 1), opening("c", 1)}, outcomes{{}, conflict}},
		"Check":  {commits{check, opening("b", 1)}, outcomes{conflict, {}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				e := newEngine(t)
				calls := 0
				e.onAppend = func(ctx context.Context, first int64, group commits) (outcomes, error) {
					calls++
					switch {
					case calls == 1:
						return e.EventStore.Append(ctx, first, group)
					case calls == 2:
						return nil, errLost
					case calls == 3:
						return c.answer, nil
					case calls == 4: // now the second attempt arrives
						_, err := e.EventStore.Append(ctx, first, group)
						require.NoError(t, err)
						return nil, notWritten()
					case calls < 20:
						return nil, notWritten()
					}
					return e.EventStore.Append(ctx, first, group)
				}
				p := inOneGroup(t, e, c.group...)
				for i, commit := range c.group {
					if commit.Stream == "b" {
						_, err := p[i].Wait(t.Context())
						require.NoError(t, err)
					}
				}
				require.Equal(t, int64(0), e.version("b"))
			})
		})
	}
}

// TestUnavailableTakesAlongWhatWaits: when the store is out of reach, what waits
// behind a commit that is given up hears the same: to decide again would be in
// vain, and no other had a part in it.
func TestUnavailableTakesAlongWhatWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEngine(t)
		e.onAppend = func(context.Context, int64, commits) (outcomes, error) { return nil, notWritten() }
		g := newFirstGate(e)
		store := start(t, e, eventstore.Config{UnavailableAfter: time.Second})
		w1 := submit(t, store, opening("a", 1), nil)
		<-g.arrived
		w2 := submit(t, store, commit("a", 0, 1), w1)
		g.open <- struct{}{}
		requireFailed(t, w1, eventstore.ErrUnavailable)
		requireFailed(t, w2, eventstore.ErrUnavailable)
		w3 := submit(t, store, commit("a", 1, 1), w2) // decided before that was known
		requireFailed(t, w3, eventstore.ErrUnavailable)
	})
}
