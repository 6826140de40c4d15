package queryapi

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"passbook/es/projection"
)

// signal is a Commits that tests give.
type signal struct{ next chan struct{} }

func (s *signal) Next() <-chan struct{} { return s.next }

func (s *signal) tell() {
	told := s.next
	s.next = make(chan struct{})
	close(told)
}

// waiter waits for a position, and says when it has done so.
func waiter(ctx context.Context, f *frontier, wanted int64) <-chan time.Duration {
	took, began := make(chan time.Duration, 1), time.Now()
	go func() {
		if reached, err := f.await(ctx, wanted); err == nil && reached >= wanted {
			took <- time.Since(began)
		}
	}()
	synctest.Wait()
	return took
}

// The clock of these tests stands still while anybody has something to do.
func testFrontier(t *testing.T, commits *signal, test func(t *testing.T, f *frontier, at *atomic.Int64)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		var at atomic.Int64
		f := newFrontier(func(context.Context, int64) (int64, error) { return at.Load(), nil }, nil)
		if commits != nil {
			commits.next = make(chan struct{})
			f.commits = commits
		}
		test(t, f, &at)
	})
}

func TestFrontier_NoticesCommits(t *testing.T) {
	commits := new(signal)
	testFrontier(t, commits, func(t *testing.T, f *frontier, at *atomic.Int64) {
		took := waiter(t.Context(), f, 1)
		at.Store(1)
		commits.tell()
		require.Zero(t, <-took)
	})
}

func TestFrontier_LooksNowAndThen(t *testing.T) {
	testFrontier(t, nil, func(t *testing.T, f *frontier, at *atomic.Int64) {
		took := waiter(t.Context(), f, 1)
		at.Store(1)
		require.Equal(t, frontierPoll, <-took)
	})
}

// One who looks on behalf of all tells those whose position is reached before
// its own.
func TestFrontier_TellsOthers(t *testing.T) {
	commits := new(signal)
	testFrontier(t, commits, func(t *testing.T, f *frontier, at *atomic.Int64) {
		last, first, second := waiter(t.Context(), f, 100), waiter(t.Context(), f, 1), waiter(t.Context(), f, 2)
		at.Store(1)
		commits.tell()
		require.Zero(t, <-first)
		at.Store(2)
		commits.tell()
		require.Zero(t, <-second)
		at.Store(100)
		commits.tell()
		require.Zero(t, <-last)
	})
}

// Another takes over from one that leaves.
func TestFrontier_TakesOver(t *testing.T) {
	commits := new(signal)
	testFrontier(t, commits, func(t *testing.T, f *frontier, at *atomic.Int64) {
		impatient, leave := context.WithCancel(t.Context())
		waiter(impatient, f, 1)
		other := waiter(t.Context(), f, 1)
		leave()
		synctest.Wait()
		at.Store(1)
		commits.tell()
		require.Zero(t, <-other)
	})
}

func TestFrontier_TooManyWaiters(t *testing.T) {
	testFrontier(t, nil, func(t *testing.T, f *frontier, at *atomic.Int64) {
		f.limit = 1
		first := waiter(t.Context(), f, 1)
		_, err := f.await(t.Context(), 1)
		require.ErrorIs(t, err, projection.ErrTooManyWaiters)
		at.Store(1)
		<-first
		_, err = f.await(t.Context(), 1)
		require.NoError(t, err, "there is room again")
	})
}

// What a look found out before it failed is kept.
func TestFrontier_KeepsWhatItKnows(t *testing.T) {
	errLost := errors.New("connection is lost")
	var from []int64
	f := newFrontier(func(_ context.Context, after int64) (int64, error) {
		from = append(from, after)
		return after + 10, errLost
	}, nil)
	reached, err := f.look(t.Context(), 100)
	require.ErrorIs(t, err, errLost)
	require.EqualValues(t, 10, reached)
	reached, err = f.look(t.Context(), 7)
	require.NoError(t, err)
	require.EqualValues(t, 10, reached)
	_, err = f.look(t.Context(), 100)
	require.ErrorIs(t, err, errLost)
	require.Equal(t, []int64{0, 10}, from)
}
