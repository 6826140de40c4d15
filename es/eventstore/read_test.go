package eventstore_test

import (
	"context"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"passbook/es/event"
	"passbook/es/eventstore"
)

// stalled is an engine whose second reading lasts until it is called off.
type stalled struct {
	*engine
	reads          atomic.Int32
	second, called chan struct{}
	ended          atomic.Bool
}

func (s *stalled) ReadAll(ctx context.Context, after int64, limit int) ([]event.Envelope, error) {
	if s.reads.Add(1) == 2 {
		close(s.second)
		<-ctx.Done()
		<-s.called
		s.ended.Store(true)
		return nil, ctx.Err()
	}
	return s.engine.ReadAll(ctx, after, limit)
}

func newStalled(t *testing.T, events int) (*stalled, *eventstore.Store) {
	t.Helper()
	s := &stalled{engine: newEngine(t), second: make(chan struct{}), called: make(chan struct{})}
	s.elsewhere(opening("a", events))
	store, err := eventstore.New(t.Context(), s, eventstore.Config{})
	require.NoError(t, err)
	return s, store
}

// TestReadAll_Ahead: the next page is read while one is handed out, and who leaves
// early leaves no reading behind.
func TestReadAll_Ahead(t *testing.T) {
	t.Parallel()
	s, store := newStalled(t, 1000)
	for e, err := range store.ReadAll(t.Context(), 0) {
		require.NoError(t, err)
		if e.Position == 2 {
			<-s.second
			close(s.called)
			break
		}
	}
	require.True(t, s.ended.Load())
}

// TestReadAll_OnlyOnce: there is nothing ahead of a page that is not full, and not for
// who wants one event.
func TestReadAll_OnlyOnce(t *testing.T) {
	t.Parallel()
	s, store := newStalled(t, 999)
	count, _, err := walk(t, store.ReadAll(t.Context(), 0), position)
	require.NoError(t, err)
	require.Equal(t, []int64{999, 1}, []int64{count, int64(s.reads.Load())})

	s, store = newStalled(t, 1000)
	for range store.ReadAll(t.Context(), 0) {
		break
	}
	require.Equal(t, int32(1), s.reads.Load())
}
