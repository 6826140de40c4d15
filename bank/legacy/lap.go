package legacy

import (
	"context"
	"fmt"
	"time"

	"passbook/es/checkpoint"
	"passbook/es/event"
)

// saveInterval is how far apart checkpoints are. One that is old costs reading
// again, nothing else.
const saveInterval = 500 * time.Millisecond

// lap feeds the topics from what is found in them until something fails.
func (b *Bridge) lap(ctx context.Context, lease checkpoint.Lease) error {
	saved, err := b.checkpoints.Load(ctx, lease.Name)
	if err != nil {
		return fmt.Errorf("load the checkpoint: %w", err)
	}
	if len(saved) > 0 && saved[0].History != b.store.History() {
		return ErrOtherHistory
	}
	t, err := b.readTail(ctx, saved)
	if err != nil {
		return err
	}
	if t.head, err = b.store.Head(ctx); err != nil {
		return fmt.Errorf("head of the event store: %w", err)
	}
	position, err := b.begin(ctx, saved, t)
	if err != nil {
		return err
	}
	producer, err := b.cluster.Producer()
	if err != nil {
		return err //nolint:wrapcheck // it says which brokers
	}
	defer producer.Close()
	s := &sender{Bridge: b, tail: t, producer: producer, group: &group{Bridge: b}, last: make(map[string]sent)}
	if err := s.group.catchUp(ctx, t.next); err != nil {
		return err
	}
	b.note(func(status *Status) { status.Position = position })
	b.going()
	return b.follow(ctx, s, lease, position)
}

// begin returns the position behind which to go on. Without any record in the
// topics that is the beginning, whatever a checkpoint says: they were made anew.
// Otherwise imported events are passed over, for the original's read database
// has had them from the original.
func (b *Bridge) begin(ctx context.Context, saved []checkpoint.Progress, t *tail) (int64, error) {
	if t.empty {
		return 0, nil
	}
	if len(saved) > 0 {
		return saved[0].Confirmed, nil
	}
	var position int64
	for e, err := range b.store.ReadAll(ctx, 0) {
		if err != nil {
			return 0, fmt.Errorf("read the event store: %w", err)
		}
		if !e.Metadata.Imported {
			break
		}
		position = e.Position
	}
	return position, nil
}

// follow publishes what the store holds behind a position, page by page.
func (b *Bridge) follow(ctx context.Context, s *sender, lease checkpoint.Lease, position int64) error {
	var savedAt time.Time
	save := func() error {
		savedAt = time.Now()
		if err := b.checkpoints.Save(ctx, lease, s.tail.progress(b.store.History(), position)); err != nil {
			return fmt.Errorf("save the checkpoint: %w", err)
		}
		return nil
	}
	for {
		page, err := b.page(ctx, position)
		if err != nil {
			return err
		}
		if len(page) == 0 {
			if err := save(); err != nil {
				return err
			}
			if err := b.store.Await(ctx, position); err != nil {
				return err //nolint:wrapcheck // the context's end
			}
			continue
		}
		if err := s.send(ctx, page); err != nil {
			return err
		}
		position = page[len(page)-1].Position
		b.note(func(status *Status) { status.Position = position })
		if time.Since(savedAt) >= saveInterval {
			if err := save(); err != nil {
				return err
			}
		}
	}
}

func (b *Bridge) page(ctx context.Context, after int64) ([]event.Envelope, error) {
	page := make([]event.Envelope, 0, b.config.PageEvents)
	for e, err := range b.store.ReadAll(ctx, after) {
		if err != nil {
			return nil, fmt.Errorf("read the event store: %w", err)
		}
		if page = append(page, e); len(page) == b.config.PageEvents {
			break
		}
	}
	return page, nil
}
