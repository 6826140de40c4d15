package notify

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"passbook/es/projection"
)

const channelLabel = "channel"

// metrics are the figures of the service. Counters are of this process, gauges of
// the database.
type metrics struct {
	attempts, sent, failed *prometheus.CounterVec
}

// newMetrics registers the metrics, if there is a registry for them. Each channel
// begins at 0, so that it is seen before its first notification.
func newMetrics(registry prometheus.Registerer, channels []Channel, backlog *backlog) (*metrics, error) {
	counter := func(name, help string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, []string{channelLabel})
	}
	m := &metrics{
		attempts: counter("passbook_notification_attempts_total", "Attempts to send a notification that were begun."),
		sent:     counter("passbook_notifications_sent_total", "Notifications that were taken over by whoever is next on their way."),
		failed:   counter("passbook_notifications_failed_total", "Notifications that were given up."),
	}
	for _, c := range channels {
		for _, vec := range []*prometheus.CounterVec{m.attempts, m.sent, m.failed} {
			vec.WithLabelValues(c.Name())
		}
	}
	if registry == nil {
		return m, nil
	}
	for _, collector := range []prometheus.Collector{m.attempts, m.sent, m.failed, backlog} {
		if err := registry.Register(collector); err != nil {
			return nil, fmt.Errorf("notifications: register metrics: %w", err)
		}
	}
	return m, nil
}

// backlogTimeout is how long a look at the backlog may take.
const backlogTimeout = 2 * time.Second

// backlog shows what waits to be sent, on channels that are not configured any
// more too. It is read when somebody looks; while the database does not answer
// the figures are missing.
type backlog struct {
	store    projection.Store[*sql.Tx]
	sql      statements
	channels []Channel
	log      *slog.Logger

	pending, oldest *prometheus.Desc
}

func newBacklog(store projection.Store[*sql.Tx], s statements, channels []Channel, log *slog.Logger) *backlog {
	return &backlog{
		store: store, sql: s, channels: channels, log: log,
		pending: prometheus.NewDesc("passbook_notifications_pending",
			"Notifications that are not sent yet.", []string{channelLabel}, nil),
		oldest: prometheus.NewDesc("passbook_notifications_oldest_pending_seconds",
			"How long the oldest notification that is not sent yet has waited.", []string{channelLabel}, nil),
	}
}

// Describe implements prometheus.Collector.
func (b *backlog) Describe(ch chan<- *prometheus.Desc) {
	ch <- b.pending
	ch <- b.oldest
}

// waiting is the backlog of a channel.
type waiting struct {
	count int64
	age   time.Duration
}

// Collect implements prometheus.Collector.
func (b *backlog) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), backlogTimeout)
	defer cancel()
	found, err := b.look(ctx)
	if err != nil {
		b.log.WarnContext(ctx, "pending notifications cannot be counted", "error", err)
		return
	}
	for channel, w := range found {
		ch <- prometheus.MustNewConstMetric(b.pending, prometheus.GaugeValue, float64(w.count), channel)
		ch <- prometheus.MustNewConstMetric(b.oldest, prometheus.GaugeValue, w.age.Seconds(), channel)
	}
}

// look returns the backlog by channel.
func (b *backlog) look(ctx context.Context) (map[string]waiting, error) {
	found := make(map[string]waiting)
	for _, c := range b.channels {
		found[c.Name()] = waiting{}
	}
	err := b.store.View(ctx, func(tx *sql.Tx) error {
		now, err := b.sql.clock()(ctx, tx)
		if err != nil {
			return err
		}
		return eachRow(ctx, tx, b.sql.pending, nil, func(r row) error {
			var channel string
			var count, created int64
			if err := r.Scan(&channel, &count, &created); err != nil {
				return err
			}
			found[channel] = waiting{count: count, age: max(0, now.Sub(moment(created)))}
			return nil
		})
	})
	return found, err
}
