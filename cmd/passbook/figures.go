package main

import (
	"github.com/prometheus/client_golang/prometheus"

	"passbook/bank/legacy"
	"passbook/es/eventstore"
	"passbook/es/projection"
	"passbook/es/relay"
)

// figure is one number that is asked for when somebody looks.
type figure[T any] struct {
	name, help string
	kind       prometheus.ValueType
	value      func(T) float64
}

// figures are numbers that come from one look at their source.
type figures[T any] struct {
	look func() T
	rows []figure[T]
}

// Describe implements prometheus.Collector.
func (f *figures[T]) Describe(ch chan<- *prometheus.Desc) { prometheus.DescribeByCollect(f, ch) }

// Collect implements prometheus.Collector.
func (f *figures[T]) Collect(ch chan<- prometheus.Metric) {
	state := f.look()
	for _, row := range f.rows {
		ch <- prometheus.MustNewConstMetric(prometheus.NewDesc(row.name, row.help, nil, nil), row.kind, row.value(state))
	}
}

func storeFigures(store *eventstore.Store) prometheus.Collector {
	type s = eventstore.Stats
	const counter, gauge = prometheus.CounterValue, prometheus.GaugeValue
	return &figures[s]{look: store.Stats, rows: []figure[s]{
		{"passbook_store_commits_total", "Commits that became durable.", counter, func(s s) float64 { return float64(s.Commits) }},
		{"passbook_store_groups_total", "Writes to the engine, failed ones included.", counter, func(s s) float64 { return float64(s.Groups) }},
		{"passbook_store_failures_total", "Writes to the engine that failed.", counter, func(s s) float64 { return float64(s.Failures) }},
		{"passbook_store_waiting_commits", "Commits that wait to be written.", gauge, func(s s) float64 { return float64(s.Waiting) }},
		{"passbook_store_position", "Position of the last durable event.", gauge, func(s s) float64 { return float64(s.Position) }},
	}}
}

func relayFigures(r *relay.Relay) prometheus.Collector {
	type s = relay.Status
	const counter, gauge = prometheus.CounterValue, prometheus.GaugeValue
	return &figures[s]{look: r.Status, rows: []figure[s]{
		{"passbook_relay_position", "Position up to which the broker has every event.", gauge, func(s s) float64 { return float64(s.Position) }},
		{"passbook_relay_published_total", "Records that the broker acknowledged.", counter, func(s s) float64 { return float64(s.Published) }},
		{"passbook_relay_resumes_total", "How often the topic was compared with the store.", counter, func(s s) float64 { return float64(s.Resumes) }},
		{"passbook_relay_repeats_total", "Equal repeats that were met in doing so.", counter, func(s s) float64 { return float64(s.Repeats) }},
		{"passbook_relay_foreign_total", "Records of no relay that were met in doing so.", counter, func(s s) float64 { return float64(s.Foreign) }},
		{"passbook_relay_running", "1 while it publishes.", gauge, func(s s) float64 { return boolean(s.State == relay.StateRunning) }},
	}}
}

func legacyFigures(b *legacy.Bridge) prometheus.Collector {
	type s = legacy.Status
	const counter, gauge = prometheus.CounterValue, prometheus.GaugeValue
	return &figures[s]{look: b.Status, rows: []figure[s]{
		{"passbook_legacy_position", "Position up to which the Java system's topics have every event.", gauge, func(s s) float64 { return float64(s.Position) }},
		{"passbook_legacy_published_total", "Records for the Java system that the broker acknowledged.", counter, func(s s) float64 { return float64(s.Published) }},
		{"passbook_legacy_skipped_total", "Events that were found in its topics already.", counter, func(s s) float64 { return float64(s.Skipped) }},
		{"passbook_legacy_group_known", "1 while its query service is waited for.", gauge, func(s s) float64 { return boolean(s.GroupKnown) }},
	}}
}

func boolean(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

func projectionFigures(look func() projection.Status) prometheus.Collector {
	type s = projection.Status
	const counter, gauge = prometheus.CounterValue, prometheus.GaugeValue
	return &figures[s]{look: look, rows: []figure[s]{
		{"passbook_projection_applied_total", "Events that were applied.", counter, func(s s) float64 { return float64(s.Counts.Applied) }},
		{"passbook_projection_duplicates_total", "Repeated events that the gate dropped.", counter, func(s s) float64 { return float64(s.Counts.Duplicates) }},
		{"passbook_projection_parked_total", "How often a stream was parked.", counter, func(s s) float64 { return float64(s.Counts.Parked) }},
		{"passbook_projection_foreign_total", "Records of no relay that were passed over.", counter, func(s s) float64 { return float64(s.Counts.Foreign) }},
		{"passbook_projection_rewinds_total", "Partitions that were read again from the beginning.", counter, func(s s) float64 { return float64(s.Counts.Rewinds) }},
		{"passbook_projection_partitions", "Partitions that this process has.", gauge, func(s s) float64 { return float64(len(s.Partitions)) }},
		{"passbook_projection_lag_records", "Records of these partitions that are not applied yet.", gauge, lag},
	}}
}

func lag(s projection.Status) float64 {
	var records int64
	for _, partition := range s.Partitions {
		records += partition.Lag
	}
	return float64(records)
}

// consumerFigures are those of one consumer of the feed, whose name they bear.
func consumerFigures(name string, look func() projection.Status) prometheus.Collector {
	return prometheus.WrapCollectorWith(prometheus.Labels{"consumer": name}, projectionFigures(look))
}
