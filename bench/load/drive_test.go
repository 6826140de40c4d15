package load_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"passbook/bench/load"
)

func sleep(d time.Duration) { <-time.After(d) }

func TestDrive_WithoutRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var most, now atomic.Int64
		outcome, err := load.Drive(t.Context(), load.Plan{Workers: 4, Duration: time.Second}, func(context.Context, int) error {
			most.Store(max(most.Load(), now.Add(1)))
			sleep(100 * time.Millisecond)
			now.Add(-1)
			return nil
		})
		require.NoError(t, err)
		require.Equal(t, int64(40), outcome.Done)
		require.Equal(t, time.Second, outcome.Elapsed)
		require.InDelta(t, 40, outcome.PerSecond(), 0.01)
		require.Equal(t, int64(4), most.Load())
		s := outcome.Latency.Summary()
		require.Equal(t, int64(40), s.Count)
		require.InDelta(t, 100, s.P50.Milliseconds(), 1)
		require.InDelta(t, 100, s.Max.Milliseconds(), 1)
	})
}

// Whoever would have come while nothing was answered has waited too.
func TestDrive_LatencyCountsFromTheIntendedStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stalled := false
		outcome, err := load.Drive(t.Context(), load.Plan{Workers: 1, Duration: 2 * time.Second, Rate: 100}, func(context.Context, int) error {
			if !stalled {
				stalled = true
				sleep(time.Second) // once
			}
			return nil
		})
		require.NoError(t, err)
		require.Equal(t, int64(200), outcome.Done, "as many as the rate says, the late ones included")
		s := outcome.Latency.Summary()
		require.InDelta(t, 1000, s.Max.Milliseconds(), 2)
		require.InDelta(t, 980, s.P99.Milliseconds(), 20, "half of all had to wait, up to a second")
	})
}

func TestDrive_EndsWithTheFirstError(t *testing.T) {
	broken := errors.New("broken")
	_, err := load.Drive(t.Context(), load.Plan{Workers: 3, Duration: time.Hour}, func(ctx context.Context, worker int) error {
		if worker == 1 {
			return broken
		}
		<-ctx.Done()
		return nil
	})
	require.ErrorIs(t, err, broken)
}

func TestDrive_EndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	begun := make(chan struct{}, 1)
	go func() {
		<-begun
		cancel()
	}()
	_, err := load.Drive(ctx, load.Plan{Workers: 1, Duration: time.Hour, Rate: 0.001}, func(context.Context, int) error {
		begun <- struct{}{} // the next is due in a quarter of an hour
		return nil
	})
	require.ErrorIs(t, err, context.Canceled)
}

func TestLatency_Travels(t *testing.T) {
	one, other := load.NewLatency(), load.NewLatency()
	for worker := range 100 {
		one.Record(worker, time.Millisecond)
	}
	other.Record(0, time.Hour) // counts as the longest there is
	data, err := other.MarshalBinary()
	require.NoError(t, err)
	var read load.Latency
	require.NoError(t, read.UnmarshalBinary(data))
	one.Merge(&read)
	s := one.Summary()
	require.Equal(t, int64(101), s.Count)
	require.InEpsilon(t, float64(time.Millisecond), float64(s.P50), 0.01)
	require.InEpsilon(t, float64(10*time.Minute), float64(s.Max), 0.01)
	require.Error(t, new(load.Latency).UnmarshalBinary([]byte("nothing of the kind")))
}

func TestOutcome_Then(t *testing.T) {
	timed := load.Outcome{Done: 3, Elapsed: time.Second, Latency: load.NewLatency()}
	timed.Latency.Record(0, time.Second)
	sum := load.Outcome{Done: 1, Elapsed: time.Second}.Then(timed)
	require.Equal(t, int64(4), sum.Done)
	require.InDelta(t, 2, sum.PerSecond(), 0.001)
	require.Equal(t, int64(1), sum.Latency.Summary().Count)
	require.Nil(t, load.Outcome{}.Then(load.Outcome{}).Latency)
	require.Zero(t, load.Outcome{}.PerSecond())
}
