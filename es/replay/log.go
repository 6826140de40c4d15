package replay

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"passbook/es/bus"
	"passbook/es/event"
)

// LogTopic returns the name of the log of restores that belongs to a feed.
func LogTopic(feed string) string { return feed + "-restores" }

// Log is the log of restores as one process sees it: a compacted topic of one
// partition, which it keeps in memory and reads on from where it stopped
// whenever it is asked. Only a Publisher creates the topic. Safe for concurrent
// use.
type Log struct {
	topics bus.Topics
	name   string
	feed   bus.Feed
	config LogConfig

	// turn holds one element while somebody reads or writes; it guards the rest.
	turn     chan struct{}
	topic    bus.Topic
	next     int64 // offset to be read next
	restores restores
}

// LogConfig has the settings of a Log; the zero value of a member stands for
// its default.
type LogConfig struct {
	// StalledAfter is for how long nothing may be heard of a running restore
	// before the next request takes its place. It is longer than any step takes
	// in which nothing is told of it: a page of events, the application's checks.
	// Default 2 minutes.
	StalledAfter time.Duration
	// Logger gets a line for what on the log cannot be read. Default:
	// slog.Default().
	Logger *slog.Logger
}

// NewLog returns the log that belongs to a feed. It calls no broker.
func NewLog(topics bus.Topics, feed string, config LogConfig) *Log {
	config.StalledAfter = or(config.StalledAfter, 2*time.Minute)
	if config.Logger == nil {
		config.Logger = slog.Default()
	}
	name := LogTopic(feed)
	return &Log{
		topics: topics, name: name, config: config, restores: newRestores(),
		feed: topics.Topic(name, bus.TopicSettings{Partitions: 1, Compacted: true}),
		turn: make(chan struct{}, 1),
	}
}

// Request asks for a restore on behalf of by, which may be empty, and returns
// it. While one runs it asks for nothing and returns that one, unless nothing
// was heard of that one for Config.StalledAfter: then the new one takes its
// place. Errors: ErrUnavailable, and nothing was asked for; ErrUncertain.
func (l *Log) Request(ctx context.Context, by string) (Restore, error) {
	leave, err := l.current(ctx)
	if err != nil {
		return Restore{}, err
	}
	defer leave()
	wish := record{Kind: kindRequested, ID: event.NewID(), At: time.Now().UTC(), By: by}
	if running := l.restores.active(); running != nil {
		if !running.stalled(l.config.StalledAfter) {
			return l.show(running), nil
		}
		wish.Supersedes = running.ID
	}
	if err := l.write(ctx, wish); err != nil {
		return Restore{}, fmt.Errorf("%w: %w", ErrUncertain, err)
	}
	if err := l.read(ctx); err != nil {
		return Restore{}, fmt.Errorf("%w: %w", ErrUncertain, err)
	}
	found := l.restores.find(wish.ID)
	if found == nil {
		found = l.restores.active() // the wish was joined to it, and taken off the log
	}
	if found == nil {
		return Restore{}, fmt.Errorf("%w: topic %s does not hold it: was it deleted?", ErrUncertain, l.name)
	}
	return l.show(found), nil
}

// Find returns the restore that was requested with an id, as it is at a moment
// of the call, ErrUnknown or ErrUnavailable.
func (l *Log) Find(ctx context.Context, id string) (Restore, error) {
	leave, err := l.current(ctx)
	if err != nil {
		return Restore{}, err
	}
	defer leave()
	found := l.restores.find(id)
	if found == nil {
		return Restore{}, fmt.Errorf("restore %s: %w", id, ErrUnknown)
	}
	return l.show(found), nil
}

// Restores returns those that are known, in the order in which they were asked
// for, or ErrUnavailable.
func (l *Log) Restores(ctx context.Context) ([]Restore, error) {
	leave, err := l.current(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	all := make([]Restore, len(l.restores.order))
	for i, e := range l.restores.order {
		all[i] = l.show(e)
	}
	return all, nil
}

func (l *Log) show(e *entry) Restore {
	r := e.Restore
	r.Stalled = e.stalled(l.config.StalledAfter)
	return r
}

// current waits for its turn and reads the log to its end. The caller has the
// log to itself until it calls leave.
func (l *Log) current(ctx context.Context) (leave func(), err error) {
	select {
	case l.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, ctx.Err())
	}
	leave = func() { <-l.turn }
	if err := l.read(ctx); err != nil {
		leave()
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return leave, nil
}

// read takes what is new on the log. A topic that was made again is another log.
func (l *Log) read(ctx context.Context) error {
	for {
		if l.topic == (bus.Topic{}) {
			topic, err := l.topics.Find(ctx, l.name)
			if errors.Is(err, bus.ErrNoTopic) {
				l.next, l.restores = 0, newRestores()
				return fmt.Errorf("%w: a process with the relay creates it", err)
			}
			if err != nil {
				return err
			}
			l.topic, l.next, l.restores = topic, 0, newRestores()
		}
		err := l.readOn(ctx)
		if !errors.Is(err, bus.ErrTopicChanged) {
			return err
		}
		l.topic = bus.Topic{}
	}
}

func (l *Log) readOn(ctx context.Context) error {
	bounds, err := l.feed.Bounds(ctx, l.topic)
	if err != nil {
		return err
	}
	end := bounds[0].End
	for m, err := range l.feed.Read(ctx, l.topic, 0, max(l.next, bounds[0].First), end) {
		if err != nil {
			return err
		}
		l.next = m.Offset + 1
		r, gone, err := parse(m.Message)
		switch {
		case err != nil:
			l.config.Logger.Warn("a record on the log of restores cannot be read, and is passed over",
				"topic", l.name, "offset", m.Offset, "error", err)
		case gone && r.Kind == kindRequested:
			l.restores.remove(r.ID)
		case !gone:
			l.restores.add(r, time.Now())
		}
	}
	l.next = max(l.next, end)
	return nil
}

// write puts records on the log, all of them or none.
func (l *Log) write(ctx context.Context, records ...record) error {
	placed := make([]bus.Placed, len(records))
	for i, r := range records {
		var err error
		if placed[i], err = r.message(); err != nil {
			return err
		}
	}
	return l.publish(ctx, placed)
}

func (l *Log) publish(ctx context.Context, records []bus.Placed) error {
	producer, err := l.feed.Producer(ctx, l.topic)
	if err != nil {
		return fmt.Errorf("write to topic %s: %w", l.name, err)
	}
	defer producer.Close()
	_, err = producer.Publish(ctx, records)
	return err
}

// tell writes a record for a publisher or builder.
func (l *Log) tell(ctx context.Context, r record) error {
	leave, err := l.current(ctx)
	if err != nil {
		return err
	}
	defer leave()
	r.At = time.Now().UTC()
	return l.write(ctx, r)
}

// running returns the restore that is running, as it is now, or nil.
func (l *Log) running(ctx context.Context) (*entry, error) {
	return l.entry(ctx, func(f *restores) *entry { return f.active() })
}

// entry returns a copy of one of the restores, or nil.
func (l *Log) entry(ctx context.Context, which func(f *restores) *entry) (*entry, error) {
	leave, err := l.current(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	found := which(&l.restores)
	if found == nil {
		return nil, nil
	}
	e := *found
	return &e, nil
}
