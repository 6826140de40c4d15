package kafka

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"passbook/es/bus"
)

// worker is one partition while it is assigned to this member: it asks the
// consumer where to begin and hands it one run after the other. Everything that
// goes wrong is tried again after a pause; nothing is passed over.
type worker struct {
	session   *session
	partition int32
	cancel    context.CancelFunc
	done      chan struct{} // closed after Revoke
	failures  int           // in a row
	told      string        // the failure that was logged last, while it lasts
}

// Steps of a worker that can fail.
const (
	stepBounds  = "bounds"
	stepAssign  = "assign"
	stepFetch   = "fetch"
	stepConsume = "consume"
)

func startWorker(s *session, partition int32) *worker {
	ctx, cancel := context.WithCancel(s.ctx)
	w := &worker{session: s, partition: partition, cancel: cancel, done: make(chan struct{})}
	s.fetcher.reading.Add(1)
	go w.run(ctx)
	return w
}

func (w *worker) run(ctx context.Context) {
	defer close(w.done)
	defer w.cancel()
	defer w.session.fetcher.reading.Add(-1)
	assigned := false
	for ctx.Err() == nil {
		at, ok := w.assign(ctx, &assigned)
		if !ok {
			continue
		}
		if err := w.read(ctx, at); err != nil {
			w.lost(ctx, err)
		}
	}
	if assigned {
		w.session.consumer.Revoke(w.partition)
	}
}

// assign asks the consumer where to begin; false when that has to be tried
// again.
func (w *worker) assign(ctx context.Context, assigned *bool) (at position, ok bool) {
	s := w.session
	found, err := s.bus.bounds(ctx, s.bus.admin, s.topic, []int32{w.partition})
	if err != nil {
		if errors.Is(err, bus.ErrTopicChanged) {
			s.end(err)
		}
		w.pause(ctx, stepBounds, err)
		return at, false
	}
	*assigned = true
	offset, err := s.consumer.Assign(ctx, bus.Assignment{Topic: s.topic, Partition: w.partition, Bounds: found[0].Bounds})
	if err != nil {
		w.pause(ctx, stepAssign, err)
		return at, false
	}
	return position{partition: w.partition, offset: offset, epoch: found[0].epoch}, true
}

// read hands out what there is from a position on. It returns an error when
// the position has to be asked for again: it is gone, or the broker was lost or
// has given the partition to another, so that the log may not be what it was.
func (w *worker) read(ctx context.Context, at position) error {
	fetcher := w.session.fetcher
	answer := fetcher.ask(ctx, at)
	for {
		var h haul
		select {
		case h = <-answer:
		case <-ctx.Done():
			return nil
		}
		if h.err != nil {
			return h.err
		}
		ahead := fetcher.ask(ctx, h.next) // comes in while these are consumed
		next := w.hand(ctx, h)
		if next == h.next.offset {
			answer = ahead
		} else {
			answer = fetcher.ask(ctx, position{partition: w.partition, offset: next, epoch: h.next.epoch})
		}
	}
}

// lost deals with a fetch that failed, before the consumer is asked again.
func (w *worker) lost(ctx context.Context, err error) {
	switch {
	case errors.Is(err, errGone) && w.failures == 0:
		w.failures++ // so a next one waits
		w.log(ctx, slog.LevelInfo, "what was to be read next is gone, the consumer is asked where to go on", "error", err)
		return
	case errors.Is(err, errOtherTopic), errors.Is(err, bus.ErrTopicChanged):
		w.session.checkTopic(ctx)
	}
	w.pause(ctx, stepFetch, err)
}

// hand gives the consumer what a haul holds, in runs, until it is through, the
// consumer wants to go on elsewhere, or ctx ends. A run that fails is given
// again. It returns where to go on.
func (w *worker) hand(ctx context.Context, h haul) (next int64) {
	s := w.session
	for rest := h.records; len(rest) > 0 && s.standing.confirm(ctx); {
		n := min(len(rest), s.bus.config.RunMax)
		behind := rest[n-1].Offset + 1
		run := bus.Run{Topic: s.topic, Partition: w.partition, Records: rest[:n:n], End: max(h.end, behind)}
		next, err := s.consumer.Consume(ctx, run)
		if err != nil {
			w.pause(ctx, stepConsume, err)
			continue
		}
		w.worked(ctx)
		s.progress.note(w.partition, next)
		if next != behind {
			return next
		}
		rest = rest[n:]
	}
	return h.next.offset
}

// pause waits before something is tried again, longer each time. What the
// consumer fails with is logged when it begins, changes and ends; that brokers
// are lost and back is logged elsewhere.
func (w *worker) pause(ctx context.Context, step string, err error) {
	if ctx.Err() != nil {
		return
	}
	w.failures++
	level := slog.LevelDebug
	if text := err.Error(); text != w.told && (step == stepAssign || step == stepConsume) {
		level, w.told = slog.LevelWarn, text
	}
	pause := pauseAfter(w.failures, 50*time.Millisecond, 5*time.Second)
	w.log(ctx, level, "consumer failed, trying again", "step", step, "failures", w.failures, "pause", pause, "error", err)
	w.session.fetcher.reading.Add(-1)
	wait(ctx, pause)
	w.session.fetcher.reading.Add(1)
}

// worked is called when the consumer has taken a run.
func (w *worker) worked(ctx context.Context) {
	if w.told != "" {
		w.log(ctx, slog.LevelInfo, "consumer goes on", "failures", w.failures)
	}
	w.failures, w.told = 0, ""
}

func (w *worker) log(ctx context.Context, level slog.Level, text string, attributes ...any) {
	s := w.session
	s.bus.config.Logger.With("group", s.group, "topic", s.topic.Name, "partition", w.partition).Log(ctx, level, text, attributes...)
}
