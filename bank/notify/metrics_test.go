package notify_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"passbook/bank/notify"
)

// figures returns a registry's metrics, a line for each: name{channel} value.
func figures(t *testing.T, registry *prometheus.Registry) (lines []string) {
	t.Helper()
	families, err := registry.Gather()
	require.NoError(t, err)
	for _, family := range families {
		for _, m := range family.GetMetric() {
			value := m.GetCounter().GetValue() + m.GetGauge().GetValue()
			lines = append(lines, fmt.Sprintf("%s{%s} %v", strings.TrimPrefix(family.GetName(), "passbook_"), m.GetLabel()[0].GetValue(), value))
		}
	}
	return lines
}

func TestMetrics(t *testing.T) {
	h := newHistory()
	h.open("a")
	h.open("b")
	h.deposit("a", "1.00 EUR")
	var tried sendings
	good := tried.channel("good", nil)
	bad := tried.channel("bad", func(_ context.Context, n notify.Notification) error {
		if n.AccountID == "a" {
			return notify.ErrRefused
		}
		return errors.New("not now")
	})
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t)
		registry := prometheus.NewRegistry()
		service := s.service(newTopic("t1", h), []notify.Channel{good, bad}, func(c *notify.Config) {
			c.FromBeginning, c.Metrics = true, registry
		})
		service.SetClock(time.Now)
		require.Equal(t, []string{
			"notification_attempts_total{bad} 0", "notification_attempts_total{good} 0",
			"notifications_failed_total{bad} 0", "notifications_failed_total{good} 0",
			"notifications_oldest_pending_seconds{bad} 0", "notifications_oldest_pending_seconds{good} 0",
			"notifications_pending{bad} 0", "notifications_pending{good} 0",
			"notifications_sent_total{bad} 0", "notifications_sent_total{good} 0",
		}, figures(t, registry), "before anything happened")
		stop := start(t, service.Run)
		synctest.Wait()
		_, err := s.db.Exec(`UPDATE notification SET created_us = CAST(unixepoch('subsec') * 1000000 AS INTEGER) - 90000000 WHERE state = 'pending'`)
		require.NoError(t, err)
		lines := figures(t, registry)
		require.Regexp(t, `^notifications_oldest_pending_seconds\{bad\} 9\d`, lines[4])
		lines[4] = ""
		require.Equal(t, []string{
			"notification_attempts_total{bad} 3", "notification_attempts_total{good} 3",
			"notifications_failed_total{bad} 2", "notifications_failed_total{good} 0",
			"", "notifications_oldest_pending_seconds{good} 0",
			"notifications_pending{bad} 1", "notifications_pending{good} 0",
			"notifications_sent_total{bad} 0", "notifications_sent_total{good} 3",
		}, lines)
		stop()

		// A channel that was taken out of the settings keeps what waits.
		other := prometheus.NewRegistry()
		s.service(newTopic("t1", h), []notify.Channel{good}, func(c *notify.Config) { c.Metrics = other })
		require.Contains(t, figures(t, other), "notifications_pending{bad} 1")
	})
}

func TestNew_Refuses(t *testing.T) {
	_, err := notify.New(notify.Config{Channels: named("a", "a")})
	require.EqualError(t, err, "notify: Config.Store is missing\nnotify: Config.Feed is missing\n"+
		"notify: Config.Subscriber is missing\nnotify: Config.Channels has \"a\" twice")
	s := newScene(t)
	feed := newTopic("t1", newHistory())
	config := notify.Config{
		Store: s.store, Dialect: notify.SQLite, Channels: named("a"), Feed: feed, Subscriber: feed, Metrics: prometheus.NewRegistry(),
	}
	_, err = notify.New(config)
	require.NoError(t, err)
	_, err = notify.New(config)
	require.ErrorContains(t, err, "register metrics")
	config.Dialect = "oracle"
	_, err = notify.New(config)
	require.ErrorContains(t, err, "oracle")
}
