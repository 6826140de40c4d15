package replay_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"passbook/engine/memory"
	"passbook/es/bus"
	"passbook/es/checkpoint"
	"passbook/es/event"
	"passbook/es/eventstore"
	"passbook/es/projection"
	"passbook/es/projection/projectiontest"
	"passbook/es/replay"
)

const (
	feedName   = "events"
	consumer   = "reader"
	table      = "tally"
	partitions = 3
)

// world is a store, a broker and a read database, each whole, and the processes
// that a test starts on them.
type world struct {
	testing.TB
	store       *eventstore.Store
	relayed     int64
	checkpoints *memory.Checkpoints
	topics      *memory.Topics
	read        *memory.ProjectionStore
	fails       func(e event.Envelope) error // what no model can apply
}

// newWorld has a feed without events.
func newWorld(tb testing.TB) *world {
	tb.Helper()
	w := &world{
		TB: tb, checkpoints: memory.NewCheckpoints(), topics: memory.NewTopics(), read: memory.NewProjectionStore(),
	}
	w.newHistory()
	w.open(feedName)
	return w
}

// newHistory gives the world another store, in which there is nothing.
func (w *world) newHistory() {
	w.Helper()
	store, err := eventstore.New(w.Context(), memory.NewEventStore(), eventstore.Config{Logger: quiet})
	require.NoError(w, err)
	ctx, stop := context.WithCancel(context.WithoutCancel(w.Context()))
	done := make(chan error, 1)
	go func() { done <- store.Run(ctx) }()
	w.Cleanup(func() {
		stop()
		require.NoError(w, <-done)
	})
	w.store, w.relayed = store, 0
}

var quiet = slog.New(slog.DiscardHandler)

func (w *world) feed() bus.Feed {
	return w.topics.Topic(feedName, bus.TopicSettings{Partitions: partitions})
}

func (w *world) open(name string) bus.Topic {
	w.Helper()
	topic, err := w.topics.Topic(name, bus.TopicSettings{Partitions: partitions}).Open(w.Context())
	require.NoError(w, err)
	return topic
}

// commit appends so many events to each of the streams.
func (w *world) commit(count int, streams ...string) {
	w.Helper()
	var last *eventstore.Pending
	versions := make(map[string]int64)
	for _, stream := range streams {
		version, err := w.store.StreamVersion(w.Context(), stream)
		require.NoError(w, err)
		versions[stream] = version
	}
	for range count {
		for _, stream := range streams {
			version := versions[stream]
			var err error
			last, err = w.store.Submit(eventstore.Commit{Stream: stream, Expected: version, Events: []event.Envelope{{
				ID: event.NewID(), Stream: stream, Category: "test", Version: version + 1,
				Type: event.Type{Name: "test.counted", Schema: 1}, Time: event.Truncate(time.Now()),
				Data: []byte(strconv.FormatInt(version+2, 10)),
			}}}, nil)
			require.NoError(w, err)
			versions[stream]++
		}
	}
	_, err := last.Wait(w.Context()) // those before it are durable then, too
	require.NoError(w, err)
}

// relay brings what was committed into the feed, as a relay does.
func (w *world) relay() {
	w.Helper()
	topic := w.open(feedName)
	producer, err := w.feed().Producer(w.Context(), topic)
	require.NoError(w, err)
	defer producer.Close()
	w.relayTo(producer)
}

func (w *world) relayTo(producer bus.Producer) {
	w.Helper()
	for e, err := range w.store.ReadAll(w.Context(), w.relayed) {
		require.NoError(w, err)
		_, err = producer.Publish(w.Context(), []bus.Placed{{
			Message: bus.Encode(w.store.History(), e), Partition: bus.Partition(e.Stream, partitions),
		}})
		require.NoError(w, err)
		w.relayed = e.Position
	}
}

// happen commits and relays.
func (w *world) happen(count int, streams ...string) {
	w.Helper()
	w.commit(count, streams...)
	w.relay()
}

func (w *world) model(table string) projectiontest.Tally[*memory.ProjectionTx] {
	return projectiontest.Tally[*memory.ProjectionTx]{Rows: rows{table}, Fails: func(e event.Envelope) error {
		if w.fails == nil {
			return nil
		}
		return w.fails(e)
	}}
}

// live returns the projection of the line that queries are answered from.
func (w *world) live() *projection.Projection[*memory.ProjectionTx] {
	w.Helper()
	p, err := projection.New(consumer, w.read, w.model(table), projection.Config{RunMax: 3})
	require.NoError(w, err)
	return p
}

// project brings the feed into the live line.
func (w *world) project() {
	w.Helper()
	require.NoError(w, w.live().RunToEnd(w.Context(), w.feed(), w.open(feedName)))
}

// spoil alters rows and takes some away, as nobody should.
func (w *world) spoil(streams ...string) {
	w.Helper()
	require.NoError(w, w.read.Update(w.Context(), func(tx *memory.ProjectionTx) error {
		for i, stream := range streams {
			text, ok := tx.Get(table, stream)
			require.True(w, ok)
			if i%2 == 1 {
				tx.Delete(table, stream)
				continue
			}
			var row projectiontest.Row
			require.NoError(w, json.Unmarshal([]byte(text.(string)), &row))
			row.Sum = -1
			spoiled, err := json.Marshal(row)
			require.NoError(w, err)
			tx.Put(table, stream, string(spoiled))
		}
		return nil
	}))
}

// rows is what is in a table.
func (w *world) rows(table string) map[string]string {
	w.Helper()
	all := make(map[string]string)
	require.NoError(w, w.read.View(w.Context(), func(tx *memory.ProjectionTx) error {
		tx.Rows(table, func(key string, row any) bool {
			all[key] = row.(string)
			return true
		})
		return nil
	}))
	return all
}

// expected is what the rows have to be: what the store says.
func (w *world) expected() map[string]string {
	w.Helper()
	fold := make(map[string]projectiontest.Row)
	for e, err := range w.store.ReadAll(w.Context(), 0) {
		require.NoError(w, err)
		row := fold[e.Stream]
		amount, err := strconv.ParseInt(string(e.Data), 10, 64)
		require.NoError(w, err)
		row.IDs, row.Sum = append(row.IDs, e.ID), row.Sum+amount
		fold[e.Stream] = row
	}
	all := make(map[string]string, len(fold))
	for stream, row := range fold {
		text, err := json.Marshal(row)
		require.NoError(w, err)
		all[stream] = string(text)
	}
	return all
}

// parked are the names of the streams that are parked in the live line.
func (w *world) parked() (streams []string) {
	w.Helper()
	page, err := w.live().Parked(w.Context(), "", 100)
	require.NoError(w, err)
	for _, p := range page {
		streams = append(streams, p.Stream)
	}
	return streams
}

// lines are the ids of the lines.
func (w *world) lines() (live, next string) {
	w.Helper()
	require.NoError(w, w.read.View(w.Context(), func(tx *memory.ProjectionTx) (err error) {
		live, next, err = w.read.Line(w.Context(), tx)
		return err
	}))
	return live, next
}

// replayTopics are the topics that restores have left.
func (w *world) replayTopics() (names []string) {
	w.Helper()
	topics, err := w.topics.List(w.Context(), feedName+"-replay-")
	require.NoError(w, err)
	for _, topic := range topics {
		names = append(names, topic.Name)
	}
	return names
}

// process is what one process has of the world, some of which may be broken.
type process struct {
	source      replay.Source
	topics      bus.Topics
	checkpoints checkpoint.Store
	leases      checkpoint.Store
	lines       projection.Lines[*memory.ProjectionTx]
	holder      string
	config      func(c *replay.BuilderConfig[*memory.ProjectionTx])
}

func (w *world) process() *process {
	return &process{
		source: w.store, topics: w.topics, checkpoints: w.checkpoints, leases: w.read.Leases(), lines: w.read, holder: "a",
	}
}

func (p *process) log() *replay.Log {
	return replay.NewLog(p.topics, feedName, replay.LogConfig{Logger: quiet})
}

// settings are such that few events make several pages, everything is told, and
// nothing waits long.
func (p *process) publisher() *replay.Publisher {
	return replay.NewPublisher(p.source, p.topics, feedName, p.checkpoints, p.log(), replay.PublisherConfig{
		Holder: p.holder, LeaseDuration: time.Hour, PageEvents: 4, TellInterval: time.Nanosecond, Keep: 3, Attempts: 3,
		PollInterval: time.Millisecond, RetryMin: time.Microsecond, RetryMax: time.Millisecond, Logger: quiet,
	})
}

func (w *world) builder(p *process) *replay.Builder[*memory.ProjectionTx] {
	w.Helper()
	config := replay.BuilderConfig[*memory.ProjectionTx]{
		Consumer: consumer, Lines: p.lines, Tables: []string{table},
		Create: func(context.Context, *memory.ProjectionTx, map[string]string) error { return nil },
		Model: func(next map[string]string) (projection.Model[*memory.ProjectionTx], error) {
			return w.model(next[table]), nil
		},
		Audit: func(next map[string]string) (replay.Audit[*memory.ProjectionTx], error) {
			return audit{rows{next[table]}, make(map[string]projectiontest.Row)}, nil
		},
		Leases: p.leases, Holder: p.holder, LeaseDuration: time.Hour, RunMax: 3, TellInterval: time.Nanosecond, Attempts: 3,
		Patience: 50 * time.Millisecond, PollInterval: time.Millisecond, RetryMin: time.Microsecond, RetryMax: time.Millisecond,
		Logger: quiet,
	}
	if p.config != nil {
		p.config(&config)
	}
	b, err := replay.NewBuilder(p.log(), p.topics, config)
	require.NoError(w, err)
	return b
}

// request asks for a restore; the log is there.
func (w *world) request() replay.Restore {
	w.Helper()
	require.NoError(w, w.process().publisher().RunOnce(w.Context()), "creates the log")
	r, err := w.process().log().Request(w.Context(), "somebody")
	require.NoError(w, err)
	return r
}

func (w *world) find(id string) replay.Restore {
	w.Helper()
	r, err := w.process().log().Find(w.Context(), id)
	require.NoError(w, err)
	return r
}

// restore runs one that somebody has asked for to its end.
func (w *world) restore(id string) replay.Restore {
	w.Helper()
	require.NoError(w, w.process().publisher().RunOnce(w.Context()))
	require.NoError(w, w.builder(w.process()).RunOnce(w.Context()))
	require.NoError(w, w.process().publisher().RunOnce(w.Context()), "clears away")
	return w.find(id)
}

// rows are those of a Tally in a table of the memory engine.
type rows struct{ table string }

func (r rows) Get(ctx context.Context, tx *memory.ProjectionTx, key string) (string, error) {
	row, _ := tx.Get(r.table, key)
	text, _ := row.(string)
	return text, ctx.Err()
}

func (r rows) Swap(ctx context.Context, tx *memory.ProjectionTx, key, old, text string) (bool, error) {
	if now, err := r.Get(ctx, tx, key); err != nil || now != old {
		return false, err
	}
	tx.Put(r.table, key, text)
	return true, nil
}

// audit folds the events by itself.
type audit struct {
	rows
	saw map[string]projectiontest.Row
}

func (a audit) Saw(e event.Envelope) error {
	row := a.saw[e.Stream]
	amount, err := strconv.ParseInt(string(e.Data), 10, 64)
	row.IDs, row.Sum = append(row.IDs, e.ID), row.Sum+amount
	a.saw[e.Stream] = row
	return err
}

func (a audit) Check(_ context.Context, tx *memory.ProjectionTx, except map[string]bool) (err error) {
	found := 0
	tx.Rows(a.table, func(stream string, row any) bool {
		if except[stream] {
			return true
		}
		found++
		want, _ := json.Marshal(a.saw[stream])
		if string(want) != row.(string) {
			err = fmt.Errorf("stream %s is %s, its events say %s", stream, row, want)
		}
		return err == nil
	})
	if err == nil && found != len(a.saw) {
		err = fmt.Errorf("%d rows for %d streams", found, len(a.saw))
	}
	return err
}

// streams returns names, which lie in all partitions.
func streams(n int) (names []string) {
	for i := range n {
		names = append(names, fmt.Sprintf("s%02d", i))
	}
	slices.Sort(names)
	return names
}
