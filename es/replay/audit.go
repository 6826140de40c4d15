package replay

import (
	"context"
	"fmt"

	"passbook/es/bus"
	"passbook/es/event"
	"passbook/es/projection"
)

// Audit is an application's own proof that the rows say what the events say,
// such as a sum over each event's stream, version, id and balance. It is made
// for one build, told every event of the replay, and then compared with the
// rows, which stand exactly behind these events at that moment. It is used by
// one goroutine.
type Audit[Tx any] interface {
	// Saw is told an event of the replay: those of a stream in order, streams in
	// any. Events of the streams that Check is to leave out are not told.
	Saw(e event.Envelope) error
	// Check compares the rows with what Saw was told, and returns what is wrong.
	// Rows of streams that except names say less than their events: such a stream
	// is parked, or something of it was discarded.
	Check(ctx context.Context, tx Tx, except map[string]bool) error
}

// audit has the application check the new line. The replay is read again for it:
// only now it is known which streams do not count.
func (n *build[Tx]) audit(ctx context.Context) error {
	if n.config.Audit == nil {
		return nil
	}
	audit, err := n.config.Audit(n.names)
	if err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	except, err := n.exceptions(ctx)
	if err != nil {
		return err
	}
	feed, topic := n.replayFeed()
	bounds, err := feed.Bounds(ctx, topic)
	if err != nil {
		return err
	}
	for i, b := range bounds {
		for record, err := range feed.Read(ctx, topic, int32(i), b.First, b.End) {
			if err != nil {
				return err
			}
			if isSeal(record.Message) {
				break
			}
			_, e, err := bus.Decode(record.Message)
			if err != nil {
				return err
			}
			if except[e.Stream] {
				continue
			}
			if err := audit.Saw(e); err != nil {
				return finalf("audit: %w", err)
			}
		}
		if err := n.beat(ctx); err != nil {
			return err
		}
	}
	return n.config.Lines.View(ctx, func(tx Tx) error {
		if err := audit.Check(ctx, tx, except); err != nil && ctx.Err() == nil {
			return finalf("the new line does not say what its events say: %w", err)
		}
		return ctx.Err()
	})
}

// exceptionsPage is how many streams are looked up at once.
const exceptionsPage = 500

// exceptions returns the streams whose rows say less than their events.
func (n *build[Tx]) exceptions(ctx context.Context) (map[string]bool, error) {
	except := make(map[string]bool)
	for after := ""; ; {
		page, err := n.replay.Parked(ctx, after, exceptionsPage)
		if err != nil {
			return nil, err
		}
		for _, parked := range page {
			except[parked.Stream] = true
			after = parked.Stream
		}
		if len(page) < exceptionsPage {
			break
		}
	}
	for after := (projection.Discarded{}); ; {
		page, err := n.replay.Discards(ctx, after, exceptionsPage)
		if err != nil {
			return nil, err
		}
		for _, d := range page {
			except[d.Stream] = true
			after = d
		}
		if len(page) < exceptionsPage {
			return except, nil
		}
	}
}
