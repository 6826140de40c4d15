package relay_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"passbook/es/bus"
	"passbook/es/checkpoint"
	"passbook/es/eventstore"
	"passbook/es/relay"
)

// live is a relay that runs, in a synctest bubble.
type live struct {
	*relay.Relay
	cancel context.CancelFunc
	done   chan error
}

func run(t *testing.T, r *relay.Relay) *live {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	l := &live{Relay: r, cancel: cancel, done: make(chan error, 1)}
	go func() { l.done <- r.Run(ctx) }()
	return l
}

func (l *live) stop(t *testing.T) {
	t.Helper()
	l.cancel()
	require.NoError(t, <-l.done)
	require.Equal(t, relay.StateOff, l.Status().State)
}

// ordinary settings have the defaults' times.
func ordinary(holder string) relay.Config {
	return relay.Config{Holder: holder, Logger: slog.New(slog.DiscardHandler)}
}

// TestRun_Pace: what comes one by one is published together, and not late.
func TestRun_Pace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		var pages int
		w.broker.onPublish = func([]bus.Placed) outcome {
			pages++
			return outcome{}
		}
		r := run(t, relay.New(w.store, w.broker, w.checkpoints, ordinary("r")))
		synctest.Wait()
		for i := range 100 {
			<-time.After(time.Millisecond)
			w.store.fill(1)
			synctest.Wait()
			lag, err := r.Lag(t.Context())
			require.NoError(t, err)
			require.LessOrEqual(t, lag, int64(10), "event %d", i)
		}
		<-time.After(10 * time.Millisecond)
		synctest.Wait()
		require.NoError(t, w.exact())
		require.InDelta(t, 11, pages, 1)
		r.stop(t)
	})
}

func TestRun_PublishesWhatComes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.store.fill(10)
		r := run(t, relay.New(w.store, w.broker, w.checkpoints, ordinary("r")))
		synctest.Wait()
		require.NoError(t, w.exact())
		for range 10 {
			<-time.After(10 * time.Millisecond)
			w.store.fill(3)
			synctest.Wait()
			require.NoError(t, w.exact(), "at once, after a pause")
		}
		status := r.Status()
		require.Equal(t, relay.StateRunning, status.State)
		require.EqualValues(t, 40, status.Position)
		require.Equal(t, w.broker.topic, status.Topic)
		lag, err := r.Lag(t.Context())
		require.NoError(t, err)
		require.Zero(t, lag)

		r.stop(t)
		require.EqualValues(t, 40, relay.Confirmed(w.saved(t)), "the checkpoint is saved at the end")
		_, err = w.checkpoints.Acquire(t.Context(), "relay", "another", 1)
		require.NoError(t, err, "the lease is given back")
		require.Zero(t, w.broker.producers())
	})
}

func TestRun_Saves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		saves := 0
		m := &mortal{world: w, before: func(op string) error {
			if op == "save" {
				saves++
			}
			return nil
		}}
		r := run(t, m.relay(ordinary("r")))
		after(time.Second)
		saves = 0
		w.store.fill(1)
		after(201 * time.Millisecond)
		require.Equal(t, 1, saves, "soon after it has become idle")
		require.EqualValues(t, 1, relay.Confirmed(w.saved(t)))
		after(5 * time.Second)
		require.Equal(t, 1, saves, "never without need")
		for range 1000 {
			w.store.fill(1)
			after(10 * time.Millisecond)
		}
		require.LessOrEqual(t, saves, 1+10*5+1, "at most every 200 ms")
		require.GreaterOrEqual(t, relay.Confirmed(w.saved(t)), int64(1001-21))
		r.stop(t)
	})
}

// TestRun_SaveFails: without a checkpoint the next relay reads more, that is all.
func TestRun_SaveFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		m := &mortal{world: w, before: func(op string) error {
			if op == "save" {
				return errors.New("disk full")
			}
			return nil
		}}
		r := run(t, m.relay(ordinary("r")))
		for range 20 {
			w.store.fill(10)
			after(time.Second)
		}
		require.NoError(t, w.exact())
		require.Equal(t, relay.StateRunning, r.Status().State)
		r.stop(t)
		require.Empty(t, w.saved(t))
		require.NoError(t, w.settled(t.Context()))
	})
}

func TestRun_OneOfTwo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.store.fill(10)
		a := run(t, relay.New(w.store, w.broker, w.checkpoints, ordinary("a")))
		synctest.Wait()
		b := run(t, relay.New(w.store, w.broker, w.checkpoints, ordinary("b")))
		for range 30 {
			w.store.fill(2)
			after(7 * time.Second)
			require.Equal(t, relay.StateWaiting, b.Status().State, "as long as the other renews its lease")
		}
		require.Positive(t, b.Status().Position, "it tells what the other has saved")
		require.NoError(t, w.exact())
		require.Zero(t, b.Status().Published)

		a.stop(t)
		w.store.fill(2)
		after(3 * time.Second)
		require.Equal(t, relay.StateRunning, b.Status().State, "a lease that was given back is free at once")
		require.NoError(t, w.exact())
		require.Greater(t, b.Status().Fence, a.Status().Fence)
		b.stop(t)
	})
}

// TestRun_LeaseCannotBeRenewed: a relay that is cut off from the checkpoints
// stops before another can have the lease.
func TestRun_LeaseCannotBeRenewed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		var off atomic.Bool
		m := &mortal{world: w, before: func(op string) error {
			if off.Load() && slices.Contains([]string{"acquire", "renew", "save", "load", "release"}, op) {
				return errors.New("no route to host")
			}
			return nil
		}}
		a := run(t, m.relay(ordinary("a")))
		synctest.Wait()
		b := run(t, relay.New(w.store, w.broker, w.checkpoints, ordinary("b")))
		w.store.fill(5)
		after(5 * time.Second)
		off.Store(true)
		for range 40 {
			w.store.fill(5)
			after(300 * time.Millisecond)
		}
		published := a.Status().Published
		require.Positive(t, published)
		require.Equal(t, relay.StateRetrying, a.Status().State)
		require.ErrorContains(t, a.Status().Err, "no route to host")
		require.Equal(t, relay.StateRunning, b.Status().State)
		require.NoError(t, w.exact(), "they never publish at the same time")
		off.Store(false)
		w.store.fill(5)
		after(10 * time.Second)
		require.Equal(t, published, a.Status().Published)
		require.Equal(t, relay.StateWaiting, a.Status().State)
		require.NoError(t, w.exact())
		a.stop(t)
		b.stop(t)
	})
}

// TestRun_LeaseOverInPublish: a call of Publish that hangs ends with the lease.
func TestRun_LeaseOverInPublish(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.store.fill(5)
		m := &mortal{world: w, before: func(op string) error {
			if op == "renew" {
				return errors.New("no route to host")
			}
			return nil
		}}
		feed := &hanging{Feed: w.broker}
		r := run(t, relay.New(w.store, feed, mortalCheckpoints{m}, ordinary("r")))
		after(9 * time.Second)
		require.EqualValues(t, 1, feed.calls.Load())
		require.Zero(t, feed.ended.Load())
		after(2 * time.Second)
		require.EqualValues(t, 1, feed.ended.Load())
		require.ErrorContains(t, r.Status().Err, "no route to host")
		r.stop(t)
		require.Equal(t, feed.calls.Load(), feed.ended.Load())
	})
}

// TestRun_RenewHangs: who gets no answer has no lease.
func TestRun_RenewHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		r := run(t, relay.New(w.store, w.broker, silent{w.checkpoints}, ordinary("a")))
		synctest.Wait()
		fence := r.Status().Fence
		after(11 * time.Second)
		require.Greater(t, r.Status().Fence, fence)
		r.stop(t)
	})
}

// silent does not answer to renewals.
type silent struct{ checkpoint.Store }

func (silent) Renew(ctx context.Context, _ checkpoint.Lease, _ time.Duration) error {
	<-ctx.Done()
	return ctx.Err()
}

// hanging is a feed whose broker never answers.
type hanging struct {
	bus.Feed
	calls, ended atomic.Int64
}

func (h *hanging) Producer(context.Context, bus.Topic) (bus.Producer, error) { return h, nil }
func (h *hanging) Close()                                                    {}
func (h *hanging) Publish(ctx context.Context, _ []bus.Placed) ([]int64, error) {
	h.calls.Add(1)
	defer h.ended.Add(1)
	<-ctx.Done()
	return nil, ctx.Err()
}

// TestRun_LeaseStolen: the relay learns of it when it next renews or saves, and
// begins anew.
func TestRun_LeaseStolen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		r := run(t, relay.New(w.store, w.broker, w.checkpoints, ordinary("r")))
		w.store.fill(5)
		after(time.Second)
		fence := r.Status().Fence
		stolen, err := w.checkpoints.Acquire(t.Context(), "relay", "r", time.Minute)
		require.NoError(t, err)
		require.NoError(t, w.checkpoints.Release(t.Context(), stolen))
		after(4 * time.Second)
		require.Greater(t, r.Status().Fence, stolen.Fence, "also where there is nothing to save")
		w.store.fill(5)
		after(time.Second)
		require.Greater(t, stolen.Fence, fence)
		require.NoError(t, w.exact())
		r.stop(t)
	})
}

// TestRun_Retries: an engine that is away is tried again for ever, with pauses,
// and two lines in the log.
func TestRun_Retries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		var lines bytes.Buffer
		config := ordinary("r")
		config.Logger = slog.New(slog.NewTextHandler(&lines, &slog.HandlerOptions{Level: slog.LevelInfo}))
		var away atomic.Bool
		attempts := 0
		m := &mortal{world: w, before: func(op string) error {
			if away.Load() && (op == "open" || op == "publish") {
				attempts++
				return errors.New("broker away")
			}
			return nil
		}}
		r := run(t, m.relay(config))
		w.store.fill(5)
		after(time.Second)
		lines.Reset()
		away.Store(true)
		w.store.fill(5)
		after(time.Minute)
		require.Equal(t, relay.StateRetrying, r.Status().State)
		require.ErrorContains(t, r.Status().Err, "broker away")
		require.EqualValues(t, 5, r.Status().Position)
		lag, err := r.Lag(t.Context())
		require.NoError(t, err)
		require.EqualValues(t, 5, lag)
		require.LessOrEqual(t, attempts, 20, "with pauses that grow")
		require.GreaterOrEqual(t, attempts, 60/5, "but not for ever")
		require.Zero(t, w.broker.producers(), "the producer that failed is closed")
		away.Store(false)
		after(6 * time.Second)
		require.Equal(t, relay.StateRunning, r.Status().State)
		require.NoError(t, w.exact())
		// One for the call that failed, one for the topic that can not be opened.
		require.Equal(t, 2, strings.Count(lines.String(), "relay retries"), lines.String())
		require.Equal(t, 1, strings.Count(lines.String(), "relay is back"), lines.String())
		require.Equal(t, 3, strings.Count(lines.String(), "\n"), lines.String())
		r.stop(t)
	})
}

// TestRun_PausesBeginAnew: an error now and then does not add up to long pauses.
func TestRun_PausesBeginAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		r := run(t, relay.New(w.store, w.broker, w.checkpoints, ordinary("r")))
		for range 20 {
			synctest.Wait()
			failed := false
			w.broker.setOnPublish(func([]bus.Placed) outcome {
				if failed {
					return outcome{}
				}
				failed = true
				return outcome{err: errRefused}
			})
			w.store.fill(3)
			after(60 * time.Millisecond)
			require.NoError(t, w.exact())
		}
		r.stop(t)
	})
}

// TestRun_Stopped: what waiting will hardly mend is shown, and looked at again.
func TestRun_Stopped(t *testing.T) {
	for name, trouble := range map[string]struct {
		err        error
		make, mend func(w *world)
	}{
		"wrong topic": {
			bus.ErrTopicWrong,
			func(w *world) { w.broker.setWrong(fmt.Errorf("cleanup.policy is compact: %w", bus.ErrTopicWrong)) },
			func(w *world) { w.broker.setWrong(nil) },
		},
		"missing position": {
			eventstore.ErrMissing,
			func(w *world) { w.store.lose(4) },
			func(w *world) { w.store.find(4) },
		},
		"other history": {
			relay.ErrOtherHistory,
			func(w *world) {
				other := newHistory("h0")
				other.fill(2)
				w.broker.put(bus.Partition("s00", partitions), bus.Encode("h0", other.all()[0]))
			},
			func(w *world) { w.broker.recreate() },
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld()
				w.store.fill(10)
				trouble.make(w)
				r := run(t, relay.New(w.store, w.broker, w.checkpoints, ordinary("r")))
				after(4 * time.Second)
				require.EqualValues(t, 1, r.Status().Resumes, "it does not look all the time")
				for range 10 {
					after(6 * time.Second)
					require.Equal(t, relay.StateStopped, r.Status().State)
					require.ErrorIs(t, r.Status().Err, trouble.err)
					require.Less(t, w.broker.count(), 4)
				}
				trouble.mend(w)
				after(6 * time.Second)
				require.Equal(t, relay.StateRunning, r.Status().State)
				require.NoError(t, r.Status().Err)
				require.NoError(t, w.exact())
				r.stop(t)
			})
		})
	}
}

// TestRun_NoticesLossWhileIdle: what the broker loses is published again also
// where no event comes any more.
func TestRun_NoticesLossWhileIdle(t *testing.T) {
	for name, lose := range map[string]func(b *broker){
		"a tail":    func(b *broker) { b.loseTail(1, 2) },
		"the head":  func(b *broker) { b.truncate(1, 2) },
		"the topic": func(b *broker) { b.recreate() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld()
				w.store.fill(20)
				r := run(t, relay.New(w.store, w.broker, w.checkpoints, ordinary("r")))
				after(time.Second)
				lose(w.broker)
				require.Error(t, w.complete())
				after(11 * time.Second)
				require.NoError(t, w.complete())
				require.Equal(t, relay.StateRunning, r.Status().State)
				r.stop(t)
			})
		})
	}
}

// TestRun_EmptyPromises: a store that announces events and shows none costs no
// loop without a pause.
func TestRun_EmptyPromises(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		source := &boaster{history: w.store}
		r := run(t, relay.New(source, w.broker, w.checkpoints, ordinary("r")))
		after(10 * time.Second)
		require.LessOrEqual(t, source.awaited, 250)
		r.stop(t)
	})
}

type boaster struct {
	*history
	awaited int
}

func (b *boaster) Await(context.Context, int64) error {
	b.awaited++
	return nil
}

// TestRun_StartStop ends relays at any moment.
func TestRun_StartStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		random := rand.New(rand.NewPCG(1, 2))
		for range 100 {
			var all sync.WaitGroup
			for i := range 3 {
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(random.IntN(2000))*time.Millisecond)
				all.Go(func() {
					defer cancel()
					_ = relay.New(w.store, w.broker, w.checkpoints, ordinary(strconv.Itoa(i))).Run(ctx)
				})
			}
			w.store.fill(random.IntN(20))
			all.Wait()
			require.Zero(t, w.broker.producers())
		}
		require.NoError(t, w.run(t.Context()))
		require.NoError(t, w.exact())
	})
}

// TestRun_CheckpointsAway: without lease there is no publishing.
func TestRun_CheckpointsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.store.fill(5)
		m := &mortal{world: w, before: func(op string) error {
			if op == "acquire" {
				return checkpoint.ErrLost // whatever it says
			}
			return nil
		}}
		r := run(t, m.relay(ordinary("r")))
		after(time.Minute)
		require.Zero(t, w.broker.count())
		require.Equal(t, relay.StateRetrying, r.Status().State)
		r.stop(t)
	})
}
