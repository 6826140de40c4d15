package relay

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"time"

	"passbook/es/bus"
	"passbook/es/checkpoint"
	"passbook/es/event"
)

// Source is what a relay needs of an event store; *eventstore.Store has it.
// Safe for concurrent use.
type Source interface {
	// History returns the id of the store's history.
	History() string
	// Head returns the position of the last durable event, 0 in an empty store.
	Head(ctx context.Context) (int64, error)
	// ReadAll yields the durable events behind position after, in order and
	// without a gap; a missing one ends it with eventstore.ErrMissing.
	ReadAll(ctx context.Context, after int64) iter.Seq2[event.Envelope, error]
	// Await returns once there is an event behind position after, or when ctx
	// ends, with its error.
	Await(ctx context.Context, after int64) error
}

// Relay publishes the events of a store to a topic. Any number of relays with
// the same Config.Name may run for one topic, in any number of processes: one
// of them publishes, the others wait for its lease.
//
// One of Run, RunOnce and RunToEnd runs at a time. Status and Lag are safe for
// concurrent use with them.
type Relay struct {
	source      Source
	feed        bus.Feed
	checkpoints checkpoint.Store
	config      Config
	status      board
}

// Config has the settings of a Relay; the zero value of a member stands for
// its default.
type Config struct {
	// Name is the name of the lease and of the checkpoint. Relays of different
	// topics need different ones. Default "relay".
	Name string
	// Holder tells apart those who want the lease. Two programs must not have
	// the same, or they take the lease from each other all the time. One that
	// stays the same over a restart gets its old lease at once. Default: random.
	Holder string
	// LeaseDuration is how long others wait for a relay that died. It is
	// renewed three times in that time. Default 10 s.
	LeaseDuration time.Duration
	// PageEvents and PageBytes limit what is published in one call; an event
	// that is larger goes alone. Three pages are in memory at most. Defaults:
	// 4000 events, 4 MiB: a request costs brokers about the same for many.
	PageEvents, PageBytes int
	// Pace is how far apart pages are begun that are not full. A page costs store
	// and brokers about the same for one event as for a hundred; an event that
	// comes after a pause does not wait. Default 10 ms; below 0 there is none.
	Pace time.Duration
	// SaveInterval is how far apart checkpoints are. Default 200 ms.
	SaveInterval time.Duration
	// CheckInterval is how far apart the relay looks whether the topic is still
	// what it was, while it has no other reason to. Default 10 s.
	CheckInterval time.Duration
	// RetryMin and RetryMax limit the pause after an error; it doubles from one
	// to the next. What waiting will hardly mend is looked at again after
	// RetryMax. Defaults 50 ms, 5 s.
	RetryMin, RetryMax time.Duration
	// Logger gets a line when the relay starts, stops and finds something odd.
	// Default: slog.Default().
	Logger *slog.Logger
}

func (c Config) withDefaults() Config {
	if c.Name == "" {
		c.Name = "relay"
	}
	if c.Holder == "" {
		c.Holder = event.NewID()
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	c.LeaseDuration = or(c.LeaseDuration, 10*time.Second)
	c.PageEvents = or(c.PageEvents, 4000)
	c.PageBytes = or(c.PageBytes, 4<<20)
	if c.Pace == 0 {
		c.Pace = 10 * time.Millisecond
	}
	c.SaveInterval = or(c.SaveInterval, 200*time.Millisecond)
	c.CheckInterval = or(c.CheckInterval, 10*time.Second)
	c.RetryMin = or(c.RetryMin, 50*time.Millisecond)
	c.RetryMax = max(or(c.RetryMax, 5*time.Second), c.RetryMin)
	return c
}

func or[T int | time.Duration](value, otherwise T) T {
	if value > 0 {
		return value
	}
	return otherwise
}

// New returns a relay from source to feed.
func New(source Source, feed bus.Feed, checkpoints checkpoint.Store, config Config) *Relay {
	return &Relay{source: source, feed: feed, checkpoints: checkpoints, config: config.withDefaults()}
}

// Run publishes until ctx ends; then it saves its checkpoint, gives its lease
// back and returns nil. It never returns an error: whatever goes wrong is tried
// again, with Status telling what it is.
func (r *Relay) Run(ctx context.Context) error {
	defer r.status.off()
	wait := backoff{config: r.config}
	for ctx.Err() == nil {
		err := r.hold(ctx, &wait, func(ctx context.Context, t *tenure) error { return t.untilLost(ctx) })
		switch {
		case ctx.Err() != nil:
		case errors.Is(err, checkpoint.ErrHeld):
			r.standBy(ctx)
			pause(ctx, r.config.LeaseDuration/5)
		default:
			r.status.trouble(err, r.config.Logger)
			wait.pause(ctx, err)
		}
	}
	return nil
}

// RunOnce takes the lease, takes up the topic, publishes one page at most, saves
// the checkpoint and gives the lease back. The first error ends it; that
// somebody else has the lease is checkpoint.ErrHeld.
func (r *Relay) RunOnce(ctx context.Context) error { return r.runPages(ctx, 1) }

// RunToEnd does what RunOnce does, for everything that the store holds.
func (r *Relay) RunToEnd(ctx context.Context) error { return r.runPages(ctx, 0) }

// runPages publishes so many pages at most, or all of them for 0.
func (r *Relay) runPages(ctx context.Context, most int) error {
	defer r.status.off()
	return r.hold(ctx, &backoff{config: r.config}, func(ctx context.Context, t *tenure) error {
		return t.lap(ctx, func(ctx context.Context, l *lap) error { return l.drain(ctx, most) })
	})
}

// standBy shows how far the relay that has the lease has come.
func (r *Relay) standBy(ctx context.Context) {
	saved, err := r.checkpoints.Load(ctx, r.config.Name)
	if err != nil {
		r.status.trouble(fmt.Errorf("load checkpoint %s: %w", r.config.Name, err), r.config.Logger)
		return
	}
	r.status.standBy(Confirmed(saved))
}
