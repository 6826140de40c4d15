package eventstore_test

import (
	"context"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"passbook/es/event"
	"passbook/es/eventstore"
)

// Callers who come back a moment after they were answered all go into the next
// group, if it is worth that moment; else they fall into two halves. Whoever comes
// later than that is not waited for.
func TestPace(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		write    time.Duration
		think    func(caller int) time.Duration // after each answer
		together bool
	}{
		"SlowWrites":  {32 * time.Millisecond, func(int) time.Duration { return 100 * time.Microsecond }, true},
		"FastWrites":  {4 * time.Millisecond, func(int) time.Duration { return 100 * time.Microsecond }, false},
		"SlowCallers": {32 * time.Millisecond, func(i int) time.Duration { return time.Duration(i) * 3 * time.Millisecond }, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				const callers, rounds = 8, 6
				e := newEngine(t)
				e.onAppend = func(ctx context.Context, first int64, group commits) (outcomes, error) {
					elapse(c.write)
					return e.EventStore.Append(ctx, first, group)
				}
				store := start(t, e, eventstore.Config{})
				ended := make(chan error)
				for i := range callers {
					go func() { ended <- call(store, strconv.Itoa(i), rounds, time.Duration(i)*time.Millisecond, c.think(i)) }()
				}
				for range callers {
					require.NoError(t, <-ended)
				}
				whole := 0
				for _, streams := range e.groups {
					if len(streams) == callers {
						whole++
					}
				}
				if c.together {
					require.GreaterOrEqual(t, whole, rounds-2, "%v", e.groups)
				} else {
					require.LessOrEqual(t, whole, rounds/2, "%v", e.groups)
				}
			})
		})
	}
}

// call appends to a stream, so many times, and thinks after each answer.
func call(store *eventstore.Store, stream string, rounds int, begin, think time.Duration) error {
	expected := event.NoVersion
	elapse(begin)
	for range rounds {
		receipt, err := store.Append(context.Background(), commit(stream, expected, 1))
		if err != nil {
			return err
		}
		expected = receipt.Version
		elapse(think)
	}
	return nil
}
