package replay

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"

	"passbook/es/bus"
	"passbook/es/projection"
)

// The id of a line says which restore it is of, so that after a death it can be
// told what was swapped in.
func newLine(restore string) string {
	return restore + "." + strings.ToLower(rand.Text()[:8])
}

func restoreOf(line string) string {
	restore, _, _ := strings.Cut(line, ".")
	return restore
}

// RunOnce looks at the log, takes the lease if there is something to do, does it
// and gives the lease back. The first error ends it; checkpoint.ErrHeld is that
// somebody else has the lease. That there is no log yet is no error.
func (b *Builder[Tx]) RunOnce(ctx context.Context) error {
	due, err := b.due(ctx)
	if err != nil || !due {
		return err
	}
	return b.lease.hold(ctx, b.work)
}

// due tells whether there is something to do under the lease.
func (b *Builder[Tx]) due(ctx context.Context) (bool, error) {
	running, err := b.log.running(ctx)
	switch {
	case errors.Is(err, bus.ErrNoTopic):
		running = nil
	case err != nil:
		return false, err
	}
	if running != nil && running.published != nil || !b.settled {
		return true, nil
	}
	_, next, err := b.lines(ctx)
	return next != "", err
}

// lines returns the ids of the live line and of the next one.
func (b *Builder[Tx]) lines(ctx context.Context) (live, next string, err error) {
	err = b.config.Lines.View(ctx, func(tx Tx) error {
		live, next, err = b.config.Lines.Line(ctx, tx)
		return err
	})
	if err != nil {
		return "", "", fmt.Errorf("read the ids of the lines: %w", err)
	}
	return live, next, nil
}

// work tells what an earlier builder did not come to tell, clears away what it
// has left, and builds what is to be built.
func (b *Builder[Tx]) work(ctx context.Context, h *held) error {
	if err := b.settle(ctx); err != nil {
		return err
	}
	running, err := b.log.running(ctx)
	if errors.Is(err, bus.ErrNoTopic) {
		running, err = nil, nil
	}
	if err != nil {
		return err
	}
	if running == nil || running.published == nil {
		return b.clear(ctx)
	}
	return b.attempts(ctx, h, running)
}

// settle tells of a restore that is done, though nobody said so: its builder died
// behind the swap, or could not reach the log.
func (b *Builder[Tx]) settle(ctx context.Context) error {
	live, _, err := b.lines(ctx)
	if err != nil {
		return err
	}
	e, err := b.log.entry(ctx, func(f *restores) *entry { return f.find(restoreOf(live)) })
	switch {
	case errors.Is(err, bus.ErrNoTopic):
	case err != nil:
		return err
	case e != nil && e.State != StateDone && e.line == live:
		numbers := numbers{events: e.Events, differences: e.Differences, parked: e.Parked}
		return b.done(ctx, e.ID, live, numbers)
	}
	b.settled = true
	return nil
}

// done tells that a restore is done. If that fails, the next round settles it.
func (b *Builder[Tx]) done(ctx context.Context, id, line string, n numbers) error {
	b.config.Logger.Info("restore is done", "restore", id, "events", n.events, "differences", n.differences, "parked", n.parked)
	return b.log.tell(ctx, record{
		Kind: kindDone, ID: id, Line: line, Events: n.events, Differences: n.differences, Parked: n.parked,
	})
}

// clear drops a line that nobody builds any more.
func (b *Builder[Tx]) clear(ctx context.Context) error {
	_, next, err := b.lines(ctx)
	if err != nil || next == "" {
		return err
	}
	return b.drop(ctx, next)
}

func (b *Builder[Tx]) drop(ctx context.Context, line string) error {
	err := b.config.Lines.Drop(ctx, line, b.config.Tables)
	if err != nil && !errors.Is(err, projection.ErrNoLine) {
		return fmt.Errorf("drop line %s: %w", line, err)
	}
	return nil
}

// attempts builds until it works, or there is no use in trying. Each attempt has
// a line of its own.
func (b *Builder[Tx]) attempts(ctx context.Context, h *held, e *entry) error {
	for failed := 0; ; {
		// A line that is begun takes the place of any other, so nobody begins one
		// whose lease was taken.
		if err := h.confirm(ctx); err != nil {
			return err
		}
		b.config.Logger.Info("restore is being built", "restore", e.ID, "events", e.Total)
		n := &build[Tx]{Builder: b, restore: e, lease: h, line: newLine(e.ID)}
		err := n.run(ctx)
		if err == nil {
			return b.done(ctx, e.ID, n.line, n.numbers)
		}
		if ctx.Err() != nil {
			return err
		}
		if over := n.current(ctx); errors.Is(over, errOver) {
			b.config.Logger.Info("restore is given up", "restore", e.ID, "because", over)
			return b.drop(ctx, n.line)
		}
		if failed++; isFinal(err) || failed == b.config.Attempts {
			return b.fail(ctx, e, n.line, err)
		}
		b.trouble(err)
		n.step = StepPublished
		if err := n.tell(ctx, oneLine(err)); err != nil {
			return err
		}
		pause(ctx, min(b.config.RetryMin<<min(failed, 12), b.config.RetryMax))
	}
}

// fail drops the line and ends the restore. A line that cannot be dropped now is
// by the next round.
func (b *Builder[Tx]) fail(ctx context.Context, e *entry, line string, why error) error {
	b.config.Logger.Error("restore has failed", "restore", e.ID, "error", why)
	dropped := b.drop(ctx, line)
	if err := b.log.tell(ctx, record{Kind: kindFailed, ID: e.ID, Error: oneLine(why)}); err != nil {
		return err
	}
	return dropped
}
