package replay

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

// Source is what a publisher needs of an event store; *eventstore.Store has it.
// Safe for concurrent use.
type Source interface {
	// History returns the id of the store's history.
	History() string
	// Head returns the position of the last durable event, 0 in an empty store.
	Head(ctx context.Context) (int64, error)
	// ReadAll yields the durable events behind position after, in order and
	// without a gap; a missing one ends it with eventstore.ErrMissing.
	ReadAll(ctx context.Context, after int64) iter.Seq2[event.Envelope, error]
}

// Publisher publishes the store's events again, to a topic of its own for each
// restore that is asked for, and clears away what restores leave behind. It
// belongs beside the relay. Any number of publishers of a feed may run, in any
// number of processes: one of them works, the others wait for its lease.
type Publisher struct {
	source Source
	topics bus.Topics
	feed   string
	log    *Log
	lease  leaseConfig
	config PublisherConfig

	// What follows belongs to the one Run, RunOnce.
	told string // the trouble that was logged last
	tidy string // for what everything was tidied last
}

// PublisherConfig has the settings of a Publisher; the zero value of a member
// stands for its default.
type PublisherConfig struct {
	// Name is that of the lease. Default "replay".
	Name string
	// Holder tells apart those who want the lease. Default: random.
	Holder string
	// LeaseDuration is how long others wait for one that died. Default 10 s.
	LeaseDuration time.Duration
	// PageEvents and PageBytes limit what is published in one call. Defaults:
	// 1000 events, 1 MiB.
	PageEvents, PageBytes int
	// Keep is how many restores that are over stay known. Default 20.
	Keep int
	// Attempts is how often one restore is tried before it has failed. Default 10.
	Attempts int
	// PollInterval is how often the log is looked at. Default 500 ms.
	PollInterval time.Duration
	// TellInterval is how far apart reports on the log are. Default 2 s.
	TellInterval time.Duration
	// RetryMin and RetryMax limit the pause after an error; it doubles from one
	// to the next. Defaults 100 ms, 30 s.
	RetryMin, RetryMax time.Duration
	// Logger gets a line when a restore begins and ends, and when something is in
	// the way. Default: slog.Default().
	Logger *slog.Logger
}

func (c PublisherConfig) withDefaults() PublisherConfig {
	if c.Name == "" {
		c.Name = "replay"
	}
	if c.Holder == "" {
		c.Holder = event.NewID()
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	c.LeaseDuration = or(c.LeaseDuration, 10*time.Second)
	c.PageEvents = or(c.PageEvents, 1000)
	c.PageBytes = or(c.PageBytes, 1<<20)
	c.Keep = or(c.Keep, 20)
	c.Attempts = or(c.Attempts, 10)
	c.PollInterval = or(c.PollInterval, 500*time.Millisecond)
	c.TellInterval = or(c.TellInterval, 2*time.Second)
	c.RetryMin = or(c.RetryMin, 100*time.Millisecond)
	c.RetryMax = max(or(c.RetryMax, 30*time.Second), c.RetryMin)
	return c
}

// NewPublisher returns a publisher for the feed of that name. The log has to be
// that of the feed, and checkpoints to be where all publishers of the feed find
// the lease.
func NewPublisher(
	source Source, topics bus.Topics, feed string, checkpoints checkpoint.Store, log *Log, config PublisherConfig,
) *Publisher {
	config = config.withDefaults()
	return &Publisher{
		source: source, topics: topics, feed: feed, log: log, config: config,
		lease: leaseConfig{
			store: checkpoints, name: config.Name, holder: config.Holder, duration: config.LeaseDuration,
		},
	}
}

// Run publishes what restores are asked for, until ctx ends; then it returns
// nil. It never returns an error: whatever goes wrong is tried again, and what
// goes wrong with a restore is told on the log.
func (p *Publisher) Run(ctx context.Context) error {
	for failures := 0; ctx.Err() == nil; {
		err := p.lease.hold(ctx, func(ctx context.Context, h *held) error {
			for {
				if err := p.round(ctx, h); err != nil {
					return err
				}
				p.worked()
				failures = 0
				if !pause(ctx, p.config.PollInterval) {
					return ctx.Err()
				}
			}
		})
		switch {
		case ctx.Err() != nil:
		case errors.Is(err, checkpoint.ErrHeld):
			pause(ctx, p.config.LeaseDuration/5)
		default:
			p.trouble(err)
			pause(ctx, min(p.config.RetryMin<<min(failures, 12), p.config.RetryMax))
			failures++
		}
	}
	return nil
}

// RunOnce takes the lease, does what there is to do, and gives it back. The
// first error ends it; checkpoint.ErrHeld is that somebody else has the lease.
func (p *Publisher) RunOnce(ctx context.Context) error {
	return p.lease.hold(ctx, p.round)
}

// round does what there is to do.
func (p *Publisher) round(ctx context.Context, h *held) error {
	running, err := p.log.running(ctx)
	if errors.Is(err, bus.ErrNoTopic) {
		if _, err := p.log.feed.Open(ctx); err != nil {
			return fmt.Errorf("create the log of restores: %w", err)
		}
		running, err = p.log.running(ctx)
	}
	if err != nil {
		return err
	}
	if err := p.tidyUp(ctx, h, running); err != nil {
		return err
	}
	if running == nil {
		return nil
	}
	if running.History != "" && running.History != p.source.History() {
		return p.fail(ctx, running, finalf("it was published from history %s, the store is now %s: ask for another restore",
			running.History, p.source.History()))
	}
	if running.published != nil {
		return nil // the builder's turn
	}
	return p.attempts(ctx, h, running)
}

// attempts publishes until it works, or there is no use in trying.
func (p *Publisher) attempts(ctx context.Context, h *held, e *entry) error {
	p.config.Logger.Info("restore is being published", "restore", e.ID)
	for failed := 0; ; {
		err := p.publish(ctx, h, e)
		if err == nil || ctx.Err() != nil {
			return err
		}
		// A topic that is gone was deleted by another publisher, or is the feed,
		// made again: the next attempt sees.
		if failed++; failed == p.config.Attempts || isFinal(err) && !errors.Is(err, bus.ErrTopicChanged) {
			return p.fail(ctx, e, err)
		}
		p.trouble(err)
		if err := p.retry(ctx, h, e, err); err != nil {
			return err
		}
		pause(ctx, min(p.config.RetryMin<<min(failed, 12), p.config.RetryMax))
	}
}

// retry clears away what an attempt has left, and tells why there is another.
func (p *Publisher) retry(ctx context.Context, h *held, e *entry, why error) error {
	current, err := p.log.running(ctx)
	if err != nil {
		return err
	}
	if current == nil || current.ID != e.ID || current.published != nil {
		return fmt.Errorf("restore %s: %w", e.ID, errOver)
	}
	p.tidy = ""
	if err := p.tidyUp(ctx, h, current); err != nil {
		return err
	}
	return p.log.tell(ctx, record{Kind: kindPublishing, ID: e.ID, Fence: h.lease.Fence, Trouble: oneLine(why)})
}

// fail ends a restore.
func (p *Publisher) fail(ctx context.Context, e *entry, why error) error {
	p.config.Logger.Error("restore has failed", "restore", e.ID, "error", why)
	return p.log.tell(ctx, record{Kind: kindFailed, ID: e.ID, Error: oneLine(why)})
}

func (p *Publisher) trouble(err error) {
	if text := err.Error(); text != p.told {
		p.told = text
		p.config.Logger.Warn("publisher of restores retries", "error", err)
	}
}

func (p *Publisher) worked() {
	if p.told != "" {
		p.told = ""
		p.config.Logger.Info("publisher of restores is back")
	}
}
