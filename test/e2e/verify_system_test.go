package e2e_test

import (
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	driver "modernc.org/sqlite"

	"passbook/bank/readmodel"
	"passbook/contract/account"
	"passbook/engine/broker"
	"passbook/engine/kafka"
	"passbook/engine/sqlite"
	"passbook/es/event"
	"passbook/es/eventstore"
	"passbook/es/projection"
	"passbook/es/relay"
	"passbook/es/verify"
)

const (
	verifyConsumer   = "bankaccConsumer"
	verifyPartitions = 3
)

var quiet = slog.New(slog.DiscardHandler)

// ground is a broker on which every system has a topic of its own.
type ground struct {
	t      *testing.T
	addr   string
	client *kgo.Client
	topics atomic.Int64
}

func newGround(t *testing.T) *ground {
	t.Helper()
	b, err := broker.New(broker.Config{Addr: "127.0.0.1:0", Dir: t.TempDir(), Logger: quiet})
	require.NoError(t, err)
	background(t, b.Run)
	client, err := kgo.NewClient(kgo.SeedBrokers(b.Addr()), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	require.NoError(t, err)
	t.Cleanup(client.Close)
	return &ground{t: t, addr: b.Addr(), client: client}
}

func (g *ground) newTopic() string { return fmt.Sprintf("feed-%d", g.topics.Add(1)) }

func (g *ground) bus(t *testing.T, topic string) *kafka.Bus {
	t.Helper()
	b, err := kafka.New(kafka.Config{Brokers: []string{g.addr}, Topic: topic, Partitions: verifyPartitions, Logger: quiet})
	require.NoError(t, err)
	t.Cleanup(b.Close)
	return b
}

// whole is a system at rest: two files and a topic, made by the real relay and
// the real projection.
type whole struct {
	*ground
	dir, topic string
	events     []event.Envelope
	long       string // the stream of shape.long
}

func (w *whole) store() string { return filepath.Join(w.dir, "events.db") }
func (w *whole) read() string  { return filepath.Join(w.dir, "readmodel.db") }

// bankEvents makes believable events of some accounts.
type bankEvents struct {
	rng      *rand.Rand
	ids      []string
	versions map[string]int64
	balances map[string]int64
	closed   map[string]bool
	odd      bool // some cannot be applied
}

func newBankEvents(rng *rand.Rand, odd bool) *bankEvents {
	return &bankEvents{rng: rng, odd: odd, versions: map[string]int64{}, balances: map[string]int64{}, closed: map[string]bool{}}
}

// long opens an account and moves its money, so that it has that many events.
func (b *bankEvents) long(t *testing.T, store *eventstore.Store, events int) (id string) {
	t.Helper()
	id, name, payload := b.opening()
	commit := eventstore.Commit{Stream: id, Expected: event.NoVersion, Events: []event.Envelope{envelope(t, name, payload)}}
	for n := 1; ; n++ {
		if n == events || len(commit.Events) == 1000 {
			_, err := store.Append(t.Context(), commit)
			require.NoError(t, err)
			commit.Expected, commit.Events = int64(n)-1, nil
		}
		if n == events {
			b.versions[id] = int64(events) - 1
			return id
		}
		b.balances[id]++
		moved := account.Deposited{Amount: eur(1), Balance: eur(b.balances[id])}
		commit.Events = append(commit.Events, envelope(t, account.DepositedName, moved))
	}
}

func (b *bankEvents) opening() (id, name string, payload any) {
	id = event.NewID()
	b.ids = append(b.ids, id)
	b.balances[id] = b.rng.Int64N(100_000)
	return id, account.OpenedName, account.Opened{
		AccountHolder: fmt.Sprintf("Holder %d", b.rng.IntN(20)), AccountType: account.Savings, OpeningBalance: eur(b.balances[id]),
	}
}

func eur(minor int64) account.Money {
	c, err := account.ParseCurrency("EUR")
	if err != nil {
		panic(err) // it is a currency
	}
	m, err := account.NewMoney(minor, c)
	if err != nil {
		panic(err) // far below the limit
	}
	return m
}

func envelope(t *testing.T, name string, payload any) event.Envelope {
	t.Helper()
	data, err := json.Marshal(payload)
	require.NoError(t, err)
	return event.Envelope{
		ID: event.NewID(), Category: account.AggregateType, Type: event.Type{Name: name, Schema: 1},
		Time: event.Truncate(time.Now()), Data: data, Metadata: event.Metadata{CorrelationID: event.NewID(), Actor: "teller"},
	}
}

func (b *bankEvents) next() (id string, name string, payload any) {
	if len(b.ids) < 3 || b.rng.IntN(8) == 0 {
		return b.opening()
	}
	id = b.ids[b.rng.IntN(len(b.ids))]
	amount := 1 + b.rng.Int64N(500)
	switch n := b.rng.IntN(20); {
	case b.odd && n == 0:
		return id, "passbook.account.frozen", account.Closed{}
	case b.closed[id]:
		return b.next()
	case n == 1:
		b.closed[id] = true
		return id, account.ClosedName, account.Closed{Reason: "moved"}
	case n < 8 && b.balances[id] >= amount:
		b.balances[id] -= amount
		return id, account.WithdrawnName, account.Withdrawn{Amount: eur(amount), Balance: eur(b.balances[id]), Reference: "rent"}
	}
	b.balances[id] += amount
	return id, account.DepositedName, account.Deposited{Amount: eur(amount), Balance: eur(b.balances[id])}
}

// append stores one more event.
func (b *bankEvents) append(t *testing.T, store *eventstore.Store) {
	t.Helper()
	id, name, payload := b.next()
	expected, known := b.versions[id]
	if !known {
		expected = event.NoVersion
	}
	_, err := store.Append(t.Context(), eventstore.Commit{
		Stream: id, Expected: expected, Events: []event.Envelope{envelope(t, name, payload)},
	})
	require.NoError(t, err)
	b.versions[id] = expected + 1
}

// shape says how far the parts of a system have come.
type shape struct {
	events int
	odd    bool // some streams are parked
	// unpublished and unread are how many events the relay and the read model
	// have not come to.
	unpublished int
	unread      bool
	// long and many: before the other events, an account with that many, and that
	// many accounts with one each.
	long, many int
}

func newWhole(t *testing.T, g *ground, rng *rand.Rand, s shape) *whole {
	t.Helper()
	w := &whole{ground: g, dir: t.TempDir(), topic: g.newTopic()}
	engine, err := sqlite.OpenEventStore(t.Context(), w.store())
	require.NoError(t, err)
	store, err := eventstore.New(t.Context(), engine, eventstore.Config{Logger: quiet})
	require.NoError(t, err)
	stop := background(t, store.Run)
	checkpoints, err := engine.Checkpoints(t.Context())
	require.NoError(t, err)
	bus := g.bus(t, w.topic)
	publisher := relay.New(store, bus, checkpoints, relay.Config{PageEvents: 7, Logger: quiet})
	read, project := w.projection(t)

	bank := newBankEvents(rng, s.odd)
	if s.long > 0 {
		w.long = bank.long(t, store, s.long)
	}
	for range s.many {
		bank.long(t, store, 1)
	}
	last := s.events - s.unpublished - 1
	for i := range s.events {
		bank.append(t, store)
		if i == last || i < last && i%20 == 10 {
			require.NoError(t, publisher.RunToEnd(t.Context()))
		}
		if i == s.events/2 || i == last && !s.unread {
			w.project(t, bus, project)
		}
	}
	for e, err := range store.ReadAll(t.Context(), 0) {
		require.NoError(t, err)
		w.events = append(w.events, e)
	}
	stop()
	require.NoError(t, engine.Close())
	require.NoError(t, read.Close())
	return w
}

func (w *whole) projection(t *testing.T) (*sqlite.ProjectionStore, *projection.Projection[*sql.Tx]) {
	t.Helper()
	read, err := sqlite.OpenProjectionStore(t.Context(), w.read(), sqlite.Rebuildable)
	require.NoError(t, err)
	require.NoError(t, readmodel.Migrate(t.Context(), read.DB(), readmodel.SQLite))
	model, err := readmodel.NewModel(readmodel.SQLite, readmodel.LiveTables())
	require.NoError(t, err)
	project, err := projection.New(verifyConsumer, read, model, projection.Config{Logger: quiet})
	require.NoError(t, err)
	return read, project
}

func (w *whole) project(t *testing.T, bus *kafka.Bus, p *projection.Projection[*sql.Tx]) {
	t.Helper()
	topic, err := bus.Open(t.Context())
	require.NoError(t, err)
	require.NoError(t, p.RunToEnd(t.Context(), bus, topic))
}

// copy gives a system files of its own.
func (w *whole) copy(t *testing.T) *whole {
	t.Helper()
	other := *w
	other.dir = t.TempDir()
	for _, name := range []string{"events.db", "readmodel.db"} {
		from, err := os.Open(filepath.Join(w.dir, name))
		require.NoError(t, err)
		to, err := os.Create(filepath.Join(other.dir, name))
		require.NoError(t, err)
		_, err = io.Copy(to, from)
		require.NoError(t, err)
		require.NoError(t, from.Close())
		require.NoError(t, to.Close())
	}
	return &other
}

// alter runs plain SQL on a file of the system, past every check of it.
func alter(t *testing.T, path, statement string, args ...any) {
	t.Helper()
	base, err := driver.NewConnector("file:" + path + "?_pragma=ignore_check_constraints(1)")
	require.NoError(t, err)
	db := sql.OpenDB(base)
	defer func() { require.NoError(t, db.Close()) }()
	result, err := db.ExecContext(t.Context(), statement, args...)
	require.NoError(t, err, statement)
	changed, err := result.RowsAffected()
	require.NoError(t, err)
	require.Positive(t, changed, statement)
}

// feed reads the topic's records, by partition.
func (w *whole) feed(t *testing.T) [verifyPartitions][]*kgo.Record {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(w.addr), kgo.ConsumeTopics(w.topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	require.NoError(t, err)
	defer client.Close()
	ends, err := kadm.NewClient(client).ListEndOffsets(t.Context(), w.topic)
	require.NoError(t, err)
	var left int64
	ends.Each(func(o kadm.ListedOffset) { left += o.Offset })
	var all [verifyPartitions][]*kgo.Record
	for left > 0 {
		fetches := client.PollFetches(t.Context())
		require.Empty(t, fetches.Errors())
		fetches.EachRecord(func(r *kgo.Record) {
			all[r.Partition] = append(all[r.Partition], r)
			left--
		})
	}
	return all
}

// publish gives the system another topic with those records, and lets its
// checkpoints stand behind the same events there.
func (w *whole) publish(t *testing.T, records [verifyPartitions][]*kgo.Record) {
	t.Helper()
	w.topic = w.newTopic()
	created, err := kadm.NewClient(w.client).CreateTopic(t.Context(), verifyPartitions, 1, nil, w.topic)
	require.NoError(t, err)
	id := base64.RawURLEncoding.EncodeToString(created.ID[:])
	next := map[string]int64{} // by event id, the offset behind its last record
	for p := range records {
		for i, r := range records[p] {
			sent := &kgo.Record{Topic: w.topic, Partition: int32(p), Key: r.Key, Value: r.Value, Headers: r.Headers, Timestamp: r.Timestamp}
			require.NoError(t, w.client.ProduceSync(t.Context(), sent).FirstErr())
			if eventID, ok := header(r, "ce_id"); ok {
				next[eventID] = int64(i) + 1
			}
		}
	}
	for path, table := range map[string]string{w.store(): "progress", w.read(): "checkpoint"} {
		alter(t, path, "UPDATE "+table+" SET topic = ?", id)
		for eventID, offset := range next {
			query(t, path, "UPDATE "+table+" SET next = ? WHERE event_id = ? RETURNING next", offset, eventID)
		}
	}
}

func header(r *kgo.Record, key string) (string, bool) {
	i := slices.IndexFunc(r.Headers, func(h kgo.RecordHeader) bool { return h.Key == key })
	if i < 0 {
		return "", false
	}
	return string(r.Headers[i].Value), true
}

// query returns the first column of what a statement brings.
func query(t *testing.T, path, statement string, args ...any) (column []string) {
	t.Helper()
	base, err := driver.NewConnector("file:" + path)
	require.NoError(t, err)
	db := sql.OpenDB(base)
	defer func() { require.NoError(t, db.Close()) }()
	rows, err := db.QueryContext(t.Context(), statement, args...)
	require.NoError(t, err, statement)
	defer func() { require.NoError(t, rows.Close()) }()
	for rows.Next() {
		var one string
		require.NoError(t, rows.Scan(&one))
		column = append(column, one)
	}
	require.NoError(t, rows.Err())
	return column
}

// verify compares the system as it is.
func (w *whole) verify(t *testing.T) *verify.Report {
	t.Helper()
	report, err := w.tryVerify(t.Context(), w.bus(t, w.topic))
	require.NoError(t, err)
	return report
}

func (w *whole) tryVerify(ctx context.Context, feed verify.Feed) (*verify.Report, error) {
	return w.tryVerifyWith(ctx, feed, nil, verify.Config{Topic: w.topic})
}

// tryVerifyAs puts something between the read model and who looks at it.
func (w *whole) tryVerifyAs(ctx context.Context, feed verify.Feed, as func(verify.Model) verify.Model) (*verify.Report, error) {
	return w.tryVerifyWith(ctx, feed, as, verify.Config{Topic: w.topic})
}

func (w *whole) tryVerifyWith(
	ctx context.Context, feed verify.Feed, as func(verify.Model) verify.Model, config verify.Config,
) (*verify.Report, error) {
	store, err := sqlite.OpenEventStoreReadOnly(ctx, w.store())
	if err != nil {
		return nil, err
	}
	defer func() { _ = store.Close() }() // nothing was written
	checkpoints, err := store.Checkpoints(ctx)
	if err != nil {
		return nil, err
	}
	read, err := sqlite.OpenProjectionStoreReadOnly(ctx, w.read())
	if err != nil {
		return nil, err
	}
	defer func() { _ = read.Close() }() // as above
	model, err := readmodel.NewVerification(read, readmodel.SQLite, verifyConsumer)
	if err != nil {
		return nil, err
	}
	system := verify.System{Store: store, Relay: checkpoints, Feed: feed, Model: model}
	if as != nil {
		system.Model = as(model)
	}
	return verify.Run(ctx, system, config)
}

func lines(r *verify.Report) (all []string) {
	for _, d := range r.Differences {
		all = append(all, d.String())
	}
	for _, n := range r.Notes {
		all = append(all, "note: "+n.String())
	}
	return all
}
