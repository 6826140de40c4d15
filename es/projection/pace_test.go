package projection_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"passbook/engine/memory"
	"passbook/es/bus"
	"passbook/es/projection"
	"passbook/es/projection/projectiontest"
)

// busFunc is a subscriber that does with the consumer what a test wants.
type busFunc func(ctx context.Context, consumer bus.Consumer) error

func (f busFunc) Run(ctx context.Context, _ string, consumer bus.Consumer) error {
	return f(ctx, consumer)
}

// pacedScene is a topic of two partitions, of which a consumer was assigned both.
type pacedScene struct {
	*projectiontest.Topic
	t        *testing.T
	consumer bus.Consumer
	began    time.Time
}

// inPace runs a test on a clock of its own.
func inPace(t *testing.T, pace time.Duration, test func(ctx context.Context, s *pacedScene)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		topic := projectiontest.NewTopic("topic", 2, projectiontest.NewHistory("history"))
		for partition, stream := range []string{"a", "b"} {
			topic.Publish(int32(partition), topic.History.Events(stream, 0, 20)...)
		}
		p := newProjection(t, memory.NewProjectionStore(), tally(nil), projection.Config{
			Pace: pace,
			Subscriber: busFunc(func(ctx context.Context, consumer bus.Consumer) error {
				for partition := range int32(2) {
					if _, err := consumer.Assign(ctx, topic.Assignment(partition)); err != nil {
						return err
					}
				}
				test(ctx, &pacedScene{Topic: topic, t: t, consumer: consumer, began: time.Now()})
				return nil
			}),
		})
		require.NoError(t, p.Run(t.Context()))
	})
}

// take consumes the records from an offset on up to another, behind which the
// partition ends or goes on, and returns how much time has gone by altogether.
func (s *pacedScene) take(partition int32, from, to int64, isLast bool) time.Duration {
	s.t.Helper()
	run := s.Run(partition, from, int(to-from))
	if isLast {
		run.End = to
	}
	next, err := s.consumer.Consume(context.Background(), run)
	require.NoError(s.t, err)
	require.Equal(s.t, to, next)
	return time.Since(s.began)
}

func TestRun_KeepsAPace(t *testing.T) {
	t.Parallel()
	const pace = 30 * time.Millisecond
	inPace(t, pace, func(_ context.Context, s *pacedScene) {
		require.Zero(t, s.take(0, 0, 1, true), "there is nothing to keep a distance to")
		require.Zero(t, s.take(1, 0, 1, true), "partitions do not wait for each other")
		require.Equal(t, pace, s.take(0, 1, 3, true))
		require.Equal(t, 2*pace, s.take(0, 3, 4, true))
		require.Equal(t, 2*pace, s.take(0, 4, 8, false), "who is behind does not wait")
		require.Equal(t, 3*pace, s.take(0, 8, 9, true))
		<-time.After(pace)
		require.Equal(t, 4*pace, s.take(0, 9, 10, true), "after a pause, at once")
		s.consumer.Revoke(0)
		_, err := s.consumer.Assign(context.Background(), s.Assignment(0))
		require.NoError(t, err)
		require.Equal(t, 4*pace, s.take(0, 9, 11, true), "it is not known what another member has done")
	})
}

func TestRun_WithoutPace(t *testing.T) {
	t.Parallel()
	inPace(t, -1, func(_ context.Context, s *pacedScene) {
		for at := range int64(10) {
			require.Zero(t, s.take(0, at, at+1, true))
		}
	})
}

// A member that has to go does not wait for its next transaction, nor makes it.
func TestRun_PaceEndsWithTheMember(t *testing.T) {
	t.Parallel()
	inPace(t, time.Hour, func(ctx context.Context, s *pacedScene) {
		s.take(0, 0, 1, true)
		ctx, cancel := context.WithTimeout(ctx, time.Minute)
		defer cancel()
		run := s.Run(0, 1, 1)
		run.End = 2
		_, err := s.consumer.Consume(ctx, run)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, time.Minute, time.Since(s.began))
		require.Equal(t, time.Hour, s.take(0, 1, 2, true), "nothing was taken: it can be taken later")
	})
}
