package eventstore_test

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"passbook/es/event"
	"passbook/es/eventstore"
)

// sharing is an engine that knows of others.
type sharing struct {
	*engine
	turn   chan struct{}
	least  map[string]int64
	recent []event.Envelope
}

func (s *sharing) Turn(ctx context.Context) {
	select {
	case <-s.turn:
	case <-ctx.Done():
	}
}

func (s *sharing) LeastVersion(stream string) int64 { return s.least[stream] }

func (s *sharing) Recent(string, int64) []event.Envelope { return s.recent }

// What comes in while others have their turn goes along.
func TestSharing_Turn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &sharing{engine: newEngine(t), turn: make(chan struct{})}
		store := start(t, s, eventstore.Config{})
		a := submit(t, store, opening("a", 1), nil)
		synctest.Wait()
		require.Empty(t, s.groups, "it is the others' turn")
		b := submit(t, store, opening("b", 1), nil)
		s.turn <- struct{}{}
		requireWritten(t, a, 0, 1)
		requireWritten(t, b, 0, 2)
		require.Equal(t, [][]string{{"a", "b"}}, s.groups)
		close(s.turn)
	})
}

func TestSharing_Knowledge(t *testing.T) {
	t.Parallel()
	alone := start(t, newEngine(t), eventstore.Config{})
	require.Equal(t, event.NoVersion, alone.LeastVersion("a"))
	require.Empty(t, alone.Recent("a", 0))
	known := []event.Envelope{happened("a")}
	s := &sharing{engine: newEngine(t), least: map[string]int64{"a": 7}, recent: known}
	store, err := eventstore.New(t.Context(), s, eventstore.Config{})
	require.NoError(t, err)
	require.Equal(t, int64(7), store.LeastVersion("a"))
	require.Equal(t, known, store.Recent("a", 7))
}

// An engine that tells how far others have come need not be asked for its head.
func TestOutcome_Seen(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEngine(t)
		var firsts []int64
		e.onAppend = func(ctx context.Context, first int64, group commits) (outcomes, error) {
			firsts = append(firsts, first)
			if first < 4 {
				e.elsewhere(opening(event.NewID(), 3))
				return outcomes{{Seen: 3}}, nil
			}
			return e.EventStore.Append(ctx, first, group)
		}
		store := start(t, e, eventstore.Config{})
		e.onHead = func(context.Context) (int64, error) { return 0, errLost }
		requireWritten(t, submit(t, store, opening("a", 1), nil), 0, 4)
		require.Equal(t, []int64{1, 4}, firsts)
	})
}

// A group of which an attempt is in doubt stays as it is: it is that very group
// which may yet arrive. Once it is not any more, what waits goes along.
func TestDisplacedGroup(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		first  error
		groups [][]string
	}{
		"InDoubt":    {errLost, [][]string{{"a"}, {"a"}, {"a"}, {"b"}}},
		"NotInDoubt": {nil, [][]string{{"a"}, {"a", "b"}, {"a", "b"}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				e := newEngine(t)
				calls := 0
				e.onAppend = func(ctx context.Context, first int64, group commits) (outcomes, error) {
					calls++
					switch calls {
					case 1:
						return make(outcomes, len(group)), c.first
					case 2: // whether or not it was in doubt: others were faster
						e.elsewhere(opening("c", 1))
						return make(outcomes, len(group)), nil
					}
					return e.EventStore.Append(ctx, first, group)
				}
				g := newFirstGate(e)
				store := start(t, e, eventstore.Config{})
				a := submit(t, store, opening("a", 1), nil)
				<-g.arrived
				b := submit(t, store, opening("b", 1), nil)
				g.open <- struct{}{}
				requireWritten(t, a, 0, 2)
				requireWritten(t, b, 0, 3)
				require.Equal(t, c.groups, e.groups)
			})
		})
	}
}
