package replay

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"time"

	"passbook/es/bus"
	"passbook/es/event"
)

// replay is one attempt at publishing: a topic of its own, so that whatever an
// earlier attempt has left, or a late one still writes, is somewhere else.
type replay struct {
	*Publisher
	restore  string
	fence    int64
	live     bus.Topic
	head     int64
	topic    bus.Topic
	producer bus.Producer
	encoder  *bus.Encoder

	tallies   []*tally
	published int64
	toldAt    time.Time
}

// publish publishes all that the store holds, and says so.
func (p *Publisher) publish(ctx context.Context, h *held, e *entry) error {
	live, err := p.topics.Find(ctx, p.feed)
	if err != nil {
		return fmt.Errorf("find the feed: %w", err)
	}
	// The ends before the head: what is committed behind the head comes into the
	// feed behind these ends. The other way round an event that is committed and
	// relayed between the two looks would be in neither.
	from, err := p.ends(ctx, live)
	if err != nil {
		return err
	}
	head, err := p.source.Head(ctx)
	if err != nil {
		return fmt.Errorf("read the store's head: %w", err)
	}
	r := &replay{Publisher: p, restore: e.ID, fence: h.lease.Fence, live: live, head: head, encoder: bus.NewEncoder(p.source.History())}
	if err := r.fill(ctx); err != nil {
		return err
	}
	// Whoever has taken the lease meanwhile publishes a replay of its own, and
	// has deleted this one's topic, or will.
	if err := h.confirm(ctx); err != nil {
		return err
	}
	p.config.Logger.Info("restore is published", "restore", e.ID, "events", head, "topic", r.topic.Name)
	return p.log.tell(ctx, record{
		Kind: kindPublished, ID: e.ID, Fence: r.fence, History: p.source.History(),
		Published: head, Total: head, Replay: new(topic(r.topic)), Live: new(topic(live)), From: from,
	})
}

// tail is how many of a partition's last records are searched for an event.
const tail = 100

// ends returns where the feed ends, with the event before that place: so
// that whoever reads on from there can make sure that nothing was lost and
// published again meanwhile, at other offsets.
func (p *Publisher) ends(ctx context.Context, live bus.Topic) ([]place, error) {
	feed := p.topics.Topic(p.feed, bus.TopicSettings{Partitions: live.Partitions})
	bounds, err := feed.Bounds(ctx, live)
	if err != nil {
		return nil, fmt.Errorf("read where the feed ends: %w", err)
	}
	from := make([]place, len(bounds))
	for i, b := range bounds {
		partition := int32(i)
		// Where no event is found the partition is read from its beginning.
		from[i] = place{Partition: partition, First: b.First, Next: b.First}
		for record, err := range feed.Read(ctx, live, partition, max(b.First, b.End-tail), b.End) {
			if err != nil {
				return nil, fmt.Errorf("read where the feed ends: %w", err)
			}
			history, e, err := bus.Decode(record.Message)
			if err != nil {
				continue
			}
			if history != p.source.History() {
				return nil, finalf("topic %s holds history %s, the store is %s: give the relay a new topic, then ask for another restore",
					live.Name, history, p.source.History())
			}
			from[i].Next, from[i].EventID, from[i].Position = record.Offset+1, e.ID, e.Position
		}
	}
	return from, nil
}

// replayPrefix is what the names of a feed's replay topics begin with.
func replayPrefix(feed string) string { return feed + "-replay-" }

// fill makes the topic, and brings everything up to the head into it.
func (r *replay) fill(ctx context.Context) error {
	name := replayPrefix(r.feed) + r.restore + "-" + strings.ToLower(rand.Text()[:8])
	feed := r.topics.Topic(name, bus.TopicSettings{Partitions: r.live.Partitions})
	var err error
	if r.topic, err = feed.Open(ctx); err != nil {
		return fmt.Errorf("create topic %s: %w", name, err)
	}
	if r.topic.Partitions != r.live.Partitions {
		return finalf("topic %s has %d partitions, the feed has %d", name, r.topic.Partitions, r.live.Partitions)
	}
	for range r.topic.Partitions {
		r.tallies = append(r.tallies, newTally())
	}
	if r.producer, err = feed.Producer(ctx, r.topic); err != nil {
		return fmt.Errorf("open producer for topic %s: %w", name, err)
	}
	defer r.producer.Close()
	if err := r.tell(ctx); err != nil {
		return err
	}
	if err := r.events(ctx); err != nil {
		return err
	}
	return r.seal(ctx)
}

// events publishes them in pages.
func (r *replay) events(ctx context.Context) error {
	if r.head == 0 {
		return nil
	}
	var page []bus.Placed
	bytes := 0
	for e, err := range r.source.ReadAll(ctx, 0) {
		if err != nil {
			return fmt.Errorf("read the store: %w", err)
		}
		page = append(page, r.place(e))
		bytes += len(e.Data)
		if len(page) < r.config.PageEvents && bytes < r.config.PageBytes && e.Position < r.head {
			continue
		}
		if err := r.send(ctx, page); err != nil {
			return err
		}
		r.published = e.Position
		if time.Since(r.toldAt) > r.config.TellInterval {
			if err := r.tell(ctx); err != nil {
				return err
			}
		}
		page, bytes = nil, 0
		if e.Position >= r.head {
			break
		}
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if r.published != r.head {
		return fmt.Errorf("the store ends at position %d, its head was %d", r.published, r.head)
	}
	return nil
}

// place gives an event its partition, which is the feed's rule, and counts it.
func (r *replay) place(e event.Envelope) bus.Placed {
	partition := bus.Partition(e.Stream, r.topic.Partitions)
	r.tallies[partition].add(e)
	return bus.Placed{Message: r.encoder.Encode(&e), Partition: partition}
}

// send publishes a page behind what is there.
func (r *replay) send(ctx context.Context, page []bus.Placed) error {
	if _, err := r.producer.Publish(ctx, page); err != nil {
		return fmt.Errorf("publish to topic %s: %w", r.topic.Name, err)
	}
	return nil
}

// seal ends each partition.
func (r *replay) seal(ctx context.Context) error {
	page := make([]bus.Placed, len(r.tallies))
	for i, t := range r.tallies {
		var err error
		page[i], err = seal{
			Restore: r.restore, History: r.source.History(), Head: r.head, Count: t.count, Checksum: t.checksum(),
		}.message(int32(i))
		if err != nil {
			return err
		}
	}
	return r.send(ctx, page)
}

func (r *replay) tell(ctx context.Context) error {
	r.toldAt = time.Now()
	return r.log.tell(ctx, record{
		Kind: kindPublishing, ID: r.restore, Fence: r.fence,
		History: r.source.History(), Published: r.published, Total: r.head,
	})
}
