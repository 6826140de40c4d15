package verify

import (
	"context"
	"errors"
	"fmt"

	"passbook/es/bus"
)

// ErrMoving: topic or line of the read model changed in every attempt.
var ErrMoving = errors.New("topic or read model was replaced during the comparison, each time")

// errReplaced ends an attempt that compared with something that is not there any
// more.
var errReplaced = errors.New("replaced during the comparison")

// System is what is compared.
type System struct {
	Store Store
	Relay Relay
	Feed  Feed
	Model Model
}

// Config has the settings of Run; the zero value of a member stands for its
// default, if it has one.
type Config struct {
	// Topic is the feed's name. Required.
	Topic string
	// RelayName is the name of the relay's checkpoint. Default "relay".
	RelayName string
	// DifferencesMax is how many differences, and how many notes, are kept; all
	// are counted. Default 1000.
	DifferencesMax int
	// Attempts is how often the comparison is begun where topic or line are
	// replaced meanwhile. Default 5.
	Attempts int
	// Progress, if set, is told how far the work is, in events of the store. It
	// goes back to 0 with a new attempt.
	Progress func(done, total int64)
}

func (c Config) withDefaults() Config {
	if c.RelayName == "" {
		c.RelayName = "relay"
	}
	if c.DifferencesMax <= 0 {
		c.DifferencesMax = 1000
	}
	if c.Attempts <= 0 {
		c.Attempts = 5
	}
	if c.Progress == nil {
		c.Progress = func(int64, int64) {}
	}
	return c
}

// Run compares a system and returns what it found. An error says that it could
// not compare: an engine does not answer, the topic is not there, or ErrMoving.
func Run(ctx context.Context, s System, config Config) (*Report, error) {
	config = config.withDefaults()
	var last error
	for n := 1; n <= config.Attempts; n++ {
		report, err := attemptOnce(ctx, s, config)
		switch {
		case err == nil:
			report.Attempts = n
			return report, nil
		case !errors.Is(err, errReplaced) && !errors.Is(err, bus.ErrTopicChanged):
			return nil, fmt.Errorf("verify: %w", err)
		}
		last = err
	}
	return nil, fmt.Errorf("verify: %w: %w", ErrMoving, last)
}
