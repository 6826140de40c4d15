package run_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"passbook/es/run"
)

// journal notes in which order parts end.
type journal struct {
	mu    sync.Mutex
	names []string
}

func (j *journal) part(name string, started chan<- string, err error) run.Part {
	return run.Part{Name: name, Run: func(ctx context.Context) error {
		started <- name
		<-ctx.Done()
		j.mu.Lock()
		defer j.mu.Unlock()
		j.names = append(j.names, name)
		return err
	}}
}

func TestAll(t *testing.T) {
	t.Parallel()

	t.Run("StopsInReverse", func(t *testing.T) {
		t.Parallel()
		var j journal
		started := make(chan string, 3)
		ctx, cancel := context.WithCancel(t.Context())
		result := make(chan error)
		go func() {
			result <- run.All(ctx, j.part("store", started, nil), j.part("relay", started, nil), j.part("http", started, nil))
		}()
		for range 3 {
			<-started
		}
		cancel()
		require.NoError(t, <-result)
		require.Equal(t, []string{"http", "relay", "store"}, j.names)
	})

	t.Run("FirstErrorEndsAll", func(t *testing.T) {
		t.Parallel()
		var j journal
		broken := errors.New("disk on fire")
		err := run.All(t.Context(),
			j.part("store", make(chan string, 1), nil),
			run.Part{Name: "relay", Run: func(context.Context) error { return broken }},
			j.part("http", make(chan string, 1), errors.New("late")))
		require.ErrorIs(t, err, broken)
		require.ErrorContains(t, err, "relay: disk on fire")
		require.ErrorContains(t, err, "http: late")
		require.Equal(t, []string{"http", "store"}, j.names)
	})

	t.Run("EarlyReturnWithoutErrorEndsAll", func(t *testing.T) {
		t.Parallel()
		var j journal
		err := run.All(t.Context(),
			j.part("store", make(chan string, 1), nil),
			run.Part{Name: "once", Run: func(context.Context) error { return nil }})
		require.NoError(t, err)
		require.Equal(t, []string{"store"}, j.names)
	})

	t.Run("CancellationIsNoError", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		require.NoError(t, run.All(ctx, run.Part{Name: "poll", Run: func(ctx context.Context) error {
			<-ctx.Done()
			return ctx.Err()
		}}))
	})

	t.Run("NoParts", func(t *testing.T) {
		t.Parallel()
		require.NoError(t, run.All(t.Context()))
	})
}

// Parts that were never to work do not begin to: they only give back what they
// have.
func TestAll_EndedBefore(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 100 {
		var worked atomic.Int64
		part := func(ctx context.Context) error {
			if ctx.Err() == nil {
				worked.Add(1)
			}
			<-ctx.Done()
			return nil
		}
		require.NoError(t, run.All(ctx, run.Part{Name: "a", Run: part}, run.Part{Name: "b", Run: part}))
		require.Zero(t, worked.Load())
	}
}
