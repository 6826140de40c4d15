package projection

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"passbook/es/bus"
)

// Config is the settings of a Projection. The zero value is usable.
type Config struct {
	// Subscriber is what Run gets records from. Without one, Run is refused,
	// and records come through RunToEnd or the bus.Consumer methods.
	Subscriber bus.Subscriber
	// Logger gets one line for each thing that somebody should look at: parked
	// streams, partitions read again, foreign records. Nil: nobody does.
	Logger *slog.Logger
	// DrainMax is how many events of a parked stream's queue are applied in one
	// transaction, 0 for 500.
	DrainMax int
	// RunMax is how many records RunOnce and RunToEnd take at a time, 0 for 500.
	RunMax int
	// Pace is how far apart transactions begin at least while Run keeps up with the
	// topic: what comes in meanwhile, in any of the partitions, goes into one of
	// them. An event that comes after a pause as long waits for a tenth of it; a
	// partition of which more is in the topic than was handed over does not wait, and
	// has transactions of its own. A bus that knows of bus.Paced reads as often. So
	// it adds about its time at most until an event is visible. 0 is 25 ms, below 0
	// there is none.
	Pace time.Duration
	// WaitersMax is how many calls of Await may wait at the same moment, 0 for
	// 10,000.
	WaitersMax int
	// AwaitPoll is how often a waiting Await looks for what another process has
	// made visible; what this one commits is noticed at once. 0 is 100 ms.
	AwaitPoll time.Duration
	// Visible returns the version of a stream that queries can see, or
	// event.NoVersion. Nil: what Model.Heads says in a Store.View.
	Visible func(ctx context.Context, stream string) (version int64, err error)
}

func (c *Config) setDefaults() {
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.DrainMax == 0 {
		c.DrainMax = 500
	}
	if c.RunMax == 0 {
		c.RunMax = 500
	}
	if c.Pace == 0 {
		c.Pace = 25 * time.Millisecond
	}
	if c.WaitersMax == 0 {
		c.WaitersMax = 10_000
	}
	if c.AwaitPoll == 0 {
		c.AwaitPoll = 100 * time.Millisecond
	}
}

func (c *Config) validate() error {
	atLeastOne := func(name string, value int) error {
		if value < 1 {
			return fmt.Errorf("projection: %s is %d: want a number from 1, or 0 for the default", name, value)
		}
		return nil
	}
	faults := []error{
		atLeastOne("DrainMax", c.DrainMax),
		atLeastOne("RunMax", c.RunMax),
		atLeastOne("WaitersMax", c.WaitersMax),
	}
	if c.AwaitPoll < 0 {
		faults = append(faults, fmt.Errorf("projection: AwaitPoll is %s: want a duration above 0, or 0 for the default", c.AwaitPoll))
	}
	return errors.Join(faults...)
}
