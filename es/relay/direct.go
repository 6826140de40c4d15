package relay

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"passbook/es/bus"
	"passbook/es/event"
	"passbook/es/eventstore"
)

// Direct is the store as a bus, for applications without a broker: a topic of
// one partition in which the event at position n has offset n-1. It is a
// bus.Subscriber whose groups are known to this process only. Nothing can be
// lost or repeated in it, so that consumers only have to keep their place.
//
// Safe for concurrent use.
type Direct struct {
	source Source
	config Config
	topic  bus.Topic

	mu     sync.Mutex
	groups map[string]chan struct{} // has room for the one active member
}

var _ bus.Subscriber = (*Direct)(nil)

// NewDirect returns the store as a bus. Of config it uses Name, as that of the
// topic (default "direct"), PageEvents and PageBytes (defaults 1000 and 1 MiB: a
// consumer takes a page in one transaction), RetryMin, RetryMax and Logger.
func NewDirect(source Source, config Config) *Direct {
	config.PageEvents, config.PageBytes = or(config.PageEvents, 1000), or(config.PageBytes, 1<<20)
	if config.Name == "" {
		config.Name = "direct"
	}
	return &Direct{
		source: source, config: config.withDefaults(), groups: make(map[string]chan struct{}),
		topic: bus.Topic{Name: config.Name, ID: "direct-" + source.History(), Partitions: 1},
	}
}

// Topic returns the topic that the store is.
func (d *Direct) Topic() bus.Topic { return d.topic }

// Run implements bus.Subscriber. Of several members of a group one gets the
// events, the others wait until it leaves. It returns an error if an event is
// missing in the store.
func (d *Direct) Run(ctx context.Context, group string, consumer bus.Consumer) error {
	leave, ok := d.join(ctx, group)
	if !ok {
		return nil
	}
	defer leave()
	m := member{Direct: d, group: group, consumer: consumer, wait: backoff{config: d.config}}
	defer m.leave()
	for ctx.Err() == nil {
		err := m.step(ctx)
		switch {
		case ctx.Err() != nil:
		case errors.Is(err, eventstore.ErrMissing):
			return fmt.Errorf("group %s: %w", group, err)
		default:
			m.report(err)
		}
		if err != nil {
			m.wait.pause(ctx, err)
		}
	}
	return nil
}

// join waits until there is no other active member, or ctx ends.
func (d *Direct) join(ctx context.Context, group string) (leave func(), ok bool) {
	d.mu.Lock()
	active := d.groups[group]
	if active == nil {
		active = make(chan struct{}, 1)
		d.groups[group] = active
	}
	d.mu.Unlock()
	select {
	case active <- struct{}{}:
		return func() { <-active }, true
	case <-ctx.Done():
		return nil, false
	}
}

// member is the active member of a group.
type member struct {
	*Direct
	group    string
	consumer bus.Consumer
	// offset is what the consumer wants next, once it was assigned the
	// partition; held is that it ever was.
	offset         int64
	assigned, held bool
	wait           backoff
}

func (m *member) leave() {
	if m.held {
		m.consumer.Revoke(0)
	}
}

// step assigns the partition, or waits for events and hands them out.
func (m *member) step(ctx context.Context) error {
	head, err := m.source.Head(ctx)
	if err != nil {
		return err
	}
	if !m.assigned {
		m.offset, err = m.consumer.Assign(ctx, bus.Assignment{Topic: m.topic, Bounds: bus.Bounds{End: head}})
		if err != nil {
			return fmt.Errorf("assign: %w", err)
		}
		m.assigned, m.held = true, true
	}
	if m.offset < 0 || m.offset > head {
		m.assigned = false
		return fmt.Errorf("offset %d is wanted, which is not within 0 and %d", m.offset, head)
	}
	if err := m.source.Await(ctx, m.offset); err != nil {
		return err
	}
	return m.walk(ctx, head)
}

// walk hands out what there is from the offset on.
func (m *member) walk(ctx context.Context, head int64) error {
	from := m.offset
	for row, err := range rows(m.source.ReadAll(ctx, from), m.config.PageEvents, m.config.PageBytes) {
		if err != nil {
			return err
		}
		last := row[len(row)-1].Position
		next, err := m.consumer.Consume(ctx, bus.Run{Topic: m.topic, Records: m.records(row), End: max(head, last)})
		if err != nil {
			return fmt.Errorf("consume offsets %d to %d: %w", m.offset, last-1, err)
		}
		m.report(nil)
		m.offset = next
		if next != last {
			return nil // it wants to go on from another place
		}
	}
	if m.offset == from {
		// What is announced is not to be read: this must not become a loop
		// without a pause.
		pause(ctx, m.config.RetryMin)
	}
	return nil
}

func (m *member) records(row []event.Envelope) []bus.Record {
	records := make([]bus.Record, len(row))
	for i, e := range row {
		records[i] = bus.Record{Message: bus.Encode(m.source.History(), e), Offset: e.Position - 1}
	}
	return records
}

// report gives a line when something begins to fail, and when it works again.
func (m *member) report(err error) {
	switch {
	case err != nil && m.wait.failed == 0:
		m.config.Logger.Warn("consumer stands still", "group", m.group, "offset", m.offset, "error", err)
	case err == nil && m.wait.failed > 0:
		m.config.Logger.Info("consumer goes on", "group", m.group, "offset", m.offset)
		m.wait.reset()
	}
}
