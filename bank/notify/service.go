package notify

import (
	"cmp"
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"passbook/es/bus"
	"passbook/es/projection"
)

// Consumer is the group in which the instances of the notification service share
// the feed's partitions. The Java original's has the same name.
const Consumer = "accNotifyConsumer"

// Feed is as much of a topic as finding its end takes. Every bus.Feed is one. No
// topic is ever created through it.
type Feed = projection.Feed

// Config is what the service stands on. Store, Dialect, Channels, Feed and
// Subscriber must be set.
type Config struct {
	// Store is the notification DB, whose tables Migrate has made. It has to keep
	// what was committed: what it forgets is sent again.
	Store projection.Store[*sql.Tx]
	// Dialect is the SQL that Store speaks.
	Dialect Dialect
	// Channels are those that notifications are recorded for, and sent on, each
	// name once. What is pending on a channel that is not among them any more
	// stays so, and is sent when the channel is back.
	Channels []Channel
	// Feed and Subscriber are those of the topic with all events.
	Feed       Feed
	Subscriber bus.Subscriber
	// FromBeginning has a database that was never connected to a feed notify
	// everything that the feed has, however long ago it happened. It changes
	// nothing later on.
	FromBeginning bool
	// Holder names the process in its claims. No two that run at the same time
	// have the same; one that is the same after a restart takes up at once what
	// the process before had claimed, instead of after 75 s. Default: random.
	Holder string

	// Pace is how far apart transactions that record are at least, while the service
	// keeps up with the feed: see projection.Config.
	// Nobody sits and waits for a notification, so 0 is 100 ms; below 0 there is
	// none.
	Pace time.Duration

	Metrics prometheus.Registerer // counts what was sent if set
	Logger  *slog.Logger          // slog.Default() if nil
}

// validate reports all faults at once.
func (c *Config) validate() error {
	var faults []error
	missing := func(field string, isMissing bool) {
		if isMissing {
			faults = append(faults, fmt.Errorf("notify: Config.%s is missing", field))
		}
	}
	missing("Store", c.Store == nil)
	missing("Channels", len(c.Channels) == 0)
	missing("Feed", c.Feed == nil)
	missing("Subscriber", c.Subscriber == nil)
	names := make(map[string]bool)
	for _, channel := range c.Channels {
		if names[channel.Name()] {
			faults = append(faults, fmt.Errorf("notify: Config.Channels has %q twice", channel.Name()))
		}
		names[channel.Name()] = true
	}
	return errors.Join(faults...)
}

// Service records notifications and sends them. Any number of instances may share
// a database, where that takes several processes: each notification is recorded
// by the one that has its partition, and sent by the one that claims it.
type Service struct {
	model      *model
	projection *projection.Projection[*sql.Tx]
	senders    []*sender
	starter    *starter
	backlog    *backlog
	log        *slog.Logger
}

// New makes a service that does nothing yet. The error names every fault of the
// configuration.
func New(config Config) (*Service, error) {
	if err := config.validate(); err != nil {
		return nil, err
	}
	if config.Logger == nil {
		config.Logger = slog.Default()
	}
	config.Holder = cmp.Or(config.Holder, rand.Text())
	config.Pace = cmp.Or(config.Pace, 100*time.Millisecond)
	model, err := newModel(config.Dialect, config.Channels)
	if err != nil {
		return nil, err
	}
	s := &Service{
		model:   model,
		log:     config.Logger,
		starter: &starter{store: config.Store, sql: model.sql, feed: config.Feed, fromBeginning: config.FromBeginning},
		backlog: newBacklog(config.Store, model.sql, config.Channels, config.Logger),
	}
	metrics, err := newMetrics(config.Metrics, config.Channels, s.backlog)
	if err != nil {
		return nil, err
	}
	for _, channel := range config.Channels {
		q := &queue{store: config.Store, sql: model.sql, channel: channel.Name(), holder: config.Holder, lease: leaseTime, now: model.sql.clock()}
		s.senders = append(s.senders, newSender(channel, q, metrics, config.Logger))
	}
	s.projection, err = projection.New(Consumer, config.Store, model, projection.Config{
		Subscriber: &subscriber{Subscriber: config.Subscriber, starter: s.starter, wake: s.wake},
		Pace:       config.Pace,
		Logger:     config.Logger,
	})
	if err != nil {
		return nil, fmt.Errorf("notifications: %w", err)
	}
	return s, nil
}

// Run records and sends until ctx ends, and returns nil then. Attempts that were
// begun are finished, for which they have a few seconds; ones that do not end are
// cut off and made again after the next start, with the same id. It returns an
// error for what no waiting can mend. Run can be called once.
func (s *Service) Run(ctx context.Context) error {
	s.tellAbandoned(ctx)
	runs := []func(context.Context) error{s.projection.Run}
	for _, one := range s.senders {
		runs = append(runs, one.Run)
	}
	// All of them stop at the same time: none stands on another, and the time to
	// stop in is short.
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, len(runs))
	for _, run := range runs {
		go func() {
			defer cancel() // one that cannot go on ends the others
			ended <- run(ctx)
		}()
	}
	var errs []error
	for range runs {
		errs = append(errs, <-ended)
	}
	return errors.Join(errs...)
}

func (s *Service) wake() {
	for _, one := range s.senders {
		select {
		case one.wake <- struct{}{}:
		default:
		}
	}
}

// tellAbandoned logs what waits for channels that are not configured.
func (s *Service) tellAbandoned(ctx context.Context) {
	found, err := s.backlog.look(ctx)
	if err != nil {
		return // the senders will say so
	}
	for _, one := range s.senders {
		delete(found, one.channel.Name())
	}
	for channel, w := range found {
		s.log.WarnContext(ctx, "notifications wait for a channel that is not configured any more",
			"channel", channel, "notifications", w.count)
	}
}

// Projection is what records: for progress, parked streams and figures. It is run
// by Run.
func (s *Service) Projection() *projection.Projection[*sql.Tx] { return s.projection }

// Ready returns nil once it is known from where on events are notified, and while
// the database answers. A feed that cannot be reached any more, or a channel that
// fails, does not count: what was recorded is sent, and what is to come is not
// lost.
func (s *Service) Ready(ctx context.Context) error {
	_, err := s.starter.look(ctx)
	if err != nil && !errors.Is(err, errNoStart) {
		return errors.New(databaseSilent)
	}
	return err
}
