package replay

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"passbook/es/bus"
	"passbook/es/checkpoint"
	"passbook/es/event"
	"passbook/es/projection"
)

// Builder builds the new line of a read model when a restore was published, and
// swaps it in. It belongs beside the projection, whose lines are the Lines of
// its settings. Any number of builders of a read model may run, in any number of
// processes: one of them works, the others wait for its lease.
//
// The projection needs to know nothing of it: after the swap its next batch
// finds another checkpoint than the one it knows, and goes on from there.
type Builder[Tx any] struct {
	log    *Log
	topics bus.Topics
	lease  leaseConfig
	config BuilderConfig[Tx]

	// What follows belongs to the one Run, RunOnce.
	told    string // the trouble that was logged last
	settled bool   // it was looked whether a builder died behind its swap
}

// BuilderConfig has the settings of a Builder. The members up to Model are
// required; the zero value of any other stands for its default.
type BuilderConfig[Tx any] struct {
	// Consumer is the name of the projection whose read model it is. No other
	// consumer may keep its place in the same Lines.
	Consumer string
	Lines    projection.Lines[Tx]
	// Tables, and Create, are handed to Lines.
	Tables []string
	Create func(ctx context.Context, tx Tx, next map[string]string) error
	// Model returns the model on the tables of the next line, whose names are
	// given by those of the live one.
	Model func(next map[string]string) (projection.Model[Tx], error)

	// Audit returns what checks the rows of the next line. Default: nothing does.
	Audit func(next map[string]string) (Audit[Tx], error)
	// Compare counts the differences between the live line and the next one,
	// which are reported and change nothing: the live one may be what is wrong.
	// The next line is as far as the live one, or some batches before or behind:
	// only what both have at the same version can be compared. Default: 0.
	Compare func(ctx context.Context, tx Tx, next map[string]string) (differences int64, err error)

	// Leases is where the builders of this read model find each other. Default:
	// this process is the only one.
	Leases checkpoint.Store
	// Holder tells apart those who want the lease. Default: random.
	Holder string
	// LeaseDuration is how long others wait for one that died. Default 10 s.
	LeaseDuration time.Duration
	// RunMax is how many events are applied in one transaction. Others who write
	// get their turn between two of them. Default 500.
	RunMax int
	// FinishMax is how many records of the feed are applied at most inside the
	// swap, while nobody else writes. Default 2000.
	FinishMax int
	// Attempts is how often one restore is tried before it has failed. Default 10.
	Attempts int
	// Patience is for how long the new line is tried to be swapped in while the
	// old one is always ahead, or has to come as far as where a stream parked.
	// Every event is applied twice meanwhile, so that a read database that is
	// busy with them for more than half of its time may never get there.
	// Default 5 minutes.
	Patience time.Duration
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

func (c *BuilderConfig[Tx]) setDefaults() {
	if c.Holder == "" {
		c.Holder = event.NewID()
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	c.LeaseDuration = or(c.LeaseDuration, 10*time.Second)
	c.RunMax = or(c.RunMax, 500)
	c.FinishMax = or(c.FinishMax, 2000)
	c.Attempts = or(c.Attempts, 10)
	c.Patience = or(c.Patience, 5*time.Minute)
	c.PollInterval = or(c.PollInterval, 500*time.Millisecond)
	c.TellInterval = or(c.TellInterval, 2*time.Second)
	c.RetryMin = or(c.RetryMin, 100*time.Millisecond)
	c.RetryMax = max(or(c.RetryMax, 30*time.Second), c.RetryMin)
}

func (c *BuilderConfig[Tx]) validate() error {
	var faults []error
	need := func(has bool, what string) {
		if !has {
			faults = append(faults, fmt.Errorf("replay: builder: %s is missing", what))
		}
	}
	need(c.Consumer != "", "Consumer")
	need(c.Lines != nil, "Lines")
	need(len(c.Tables) > 0, "Tables")
	need(c.Create != nil, "Create")
	need(c.Model != nil, "Model")
	return errors.Join(faults...)
}

// NewBuilder returns a builder for the read model that config describes, from
// the feed whose log is given. The error names every fault of config.
func NewBuilder[Tx any](log *Log, topics bus.Topics, config BuilderConfig[Tx]) (*Builder[Tx], error) {
	config.setDefaults()
	if err := config.validate(); err != nil {
		return nil, err
	}
	return &Builder[Tx]{
		log: log, topics: topics, config: config,
		lease: leaseConfig{
			store: config.Leases, name: "restore-" + config.Consumer,
			holder: config.Holder, duration: config.LeaseDuration,
		},
	}, nil
}

// Run builds what restores are published, until ctx ends; then it returns nil.
// It never returns an error: whatever goes wrong is tried again, and what goes
// wrong with a restore is told on the log.
func (b *Builder[Tx]) Run(ctx context.Context) error {
	for failures := 0; ctx.Err() == nil; {
		err := b.RunOnce(ctx)
		switch {
		case ctx.Err() != nil:
		case err == nil:
			b.worked()
			failures = 0
			pause(ctx, b.config.PollInterval)
		case errors.Is(err, checkpoint.ErrHeld):
			pause(ctx, b.config.LeaseDuration/5)
		default:
			b.trouble(err)
			pause(ctx, min(b.config.RetryMin<<min(failures, 12), b.config.RetryMax))
			failures++
		}
	}
	return nil
}

func (b *Builder[Tx]) trouble(err error) {
	if text := err.Error(); text != b.told {
		b.told = text
		b.config.Logger.Warn("builder of restores retries", "error", err)
	}
}

func (b *Builder[Tx]) worked() {
	if b.told != "" {
		b.told = ""
		b.config.Logger.Info("builder of restores is back")
	}
}
