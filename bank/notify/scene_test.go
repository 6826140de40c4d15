package notify_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"passbook/bank/notify"
	"passbook/contract/account"
	"passbook/engine/sqlite"
	"passbook/es/bus"
	"passbook/es/event"
	"passbook/es/projection"
	"passbook/es/projection/projectiontest"
)

// scene is a notification DB of its own.
type scene struct {
	tb      testing.TB
	store   store
	db      *sql.DB
	dialect notify.Dialect
}

// store is what every engine's read side is.
type store interface {
	projection.Store[*sql.Tx]
	Close() error
}

func newScene(tb testing.TB) *scene {
	tb.Helper()
	ctx := context.Background()
	store, err := sqlite.OpenProjectionStore(ctx, filepath.Join(tb.TempDir(), "notify.db"), sqlite.Durable)
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, store.Close()) })
	require.NoError(tb, notify.Migrate(ctx, store.DB(), notify.SQLite))
	return &scene{tb: tb, store: store, db: store.DB(), dialect: notify.SQLite}
}

// quiet keeps expected failures out of the test's output.
func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// service makes a service; tests change the settings that they are about.
func (s *scene) service(feed *memoryBus, channels []notify.Channel, changes ...func(*notify.Config)) *notify.Service {
	s.tb.Helper()
	config := notify.Config{
		Store: s.store, Dialect: s.dialect, Channels: channels, Logger: quiet(), Metrics: prometheus.NewRegistry(),
		Pace: -1, // how transactions are gathered is tested where that is done
	}
	if feed != nil {
		config.Feed, config.Subscriber = feed, feed
	}
	for _, change := range changes {
		change(&config)
	}
	service, err := notify.New(config)
	require.NoError(s.tb, err)
	return service
}

// start runs a service until the function that it returns is called, or the test
// ends.
func start(tb testing.TB, run func(context.Context) error) (stop func()) {
	tb.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- run(ctx) }()
	wait := sync.OnceValue(func() error { return <-ended })
	stop = func() {
		cancel()
		require.NoError(tb, wait())
	}
	tb.Cleanup(stop)
	return stop
}

// record has a service read what is in the feed, and send nothing.
func (s *scene) record(feed *memoryBus, channels []notify.Channel, changes ...func(*notify.Config)) {
	s.tb.Helper()
	service := s.service(feed, channels, changes...)
	stop := start(s.tb, service.Projection().Run)
	feed.await(s.tb)
	stop()
	for _, p := range service.Projection().Status().Partitions {
		require.NoError(s.tb, p.Err)
	}
}

// rows returns what a query gives, a line for each row: a|b|<nil>.
func (s *scene) rows(query string, args ...any) (lines []string) {
	s.tb.Helper()
	rows, err := s.db.Query(query, args...)
	require.NoError(s.tb, err)
	defer func() { require.NoError(s.tb, rows.Close()) }()
	columns, err := rows.Columns()
	require.NoError(s.tb, err)
	values, into := make([]any, len(columns)), make([]any, len(columns))
	for i := range values {
		into[i] = &values[i]
	}
	for rows.Next() {
		require.NoError(s.tb, rows.Scan(into...))
		texts := make([]string, len(values))
		for i, v := range values {
			if text, ok := v.([]byte); ok {
				v = string(text)
			}
			texts[i] = fmt.Sprint(v)
		}
		lines = append(lines, strings.Join(texts, "|"))
	}
	require.NoError(s.tb, rows.Err())
	return lines
}

// recorded returns event and channel of all notifications, in their order.
func (s *scene) recorded() []string {
	s.tb.Helper()
	found := s.rows(`SELECT event_id, channel FROM notification ORDER BY seq`)
	for i, one := range found {
		found[i] = strings.ReplaceAll(one, "|", " ")
	}
	return found
}

// eventually waits for rows.
func (s *scene) eventually(want []string, query string, args ...any) {
	s.tb.Helper()
	var got []string
	require.Eventually(s.tb, func() bool {
		got = s.rows(query, args...)
		return slices.Equal(want, got)
	}, time.Minute, 5*time.Millisecond, "want %v of %s", want, query)
}

// history makes the events of accounts as a store would hold them.
type history struct {
	id       string
	events   []event.Envelope
	versions map[string]int64
	balances map[string]account.Money
	// now is the time of the next events.
	now time.Time
	// branch is in the ids of the next events, and their correlation.
	branch   string
	imported bool
}

func newHistory() *history {
	return &history{
		id: "h1", versions: make(map[string]int64), balances: make(map[string]account.Money), now: time.Now().Add(time.Minute),
	}
}

// before has the next events happen long before the tests began.
func (h *history) before() *history {
	h.now = time.Now().Add(-time.Hour)
	return h
}

// since has the next events happen after what the test made so far.
func (h *history) since() *history {
	h.now = time.Now().Add(time.Minute)
	return h
}

// back returns the history as of a number of events, as a back-up that was put
// back has it: under another id.
func (h *history) back(events int) *history {
	b := newHistory()
	b.id, b.branch = "h2", "'"
	for _, e := range h.events[:events] {
		b.events = append(b.events, e)
		b.versions[e.Stream] = e.Version + 1
		b.balances[e.Stream] = h.balances[e.Stream]
	}
	return b
}

// add appends an event of any payload.
func (h *history) add(id, name string, payload any) event.Envelope {
	data, err := json.Marshal(payload)
	if err != nil {
		panic(err) // payloads are well-formed
	}
	e := event.Envelope{
		ID: fmt.Sprintf("%s%s/%d", id, h.branch, h.versions[id]), Stream: id, Version: h.versions[id],
		Position: int64(len(h.events)) + 1, Type: event.Type{Name: name, Schema: 1}, Time: event.Truncate(h.now), Data: data,
		Metadata: event.Metadata{Imported: h.imported, CorrelationID: h.branch},
	}
	h.versions[id]++
	h.events = append(h.events, e)
	return e
}

// open opens an account with 100.00 EUR. The contact is "phone email", either of
// which may be missing.
func (h *history) open(id string, contact ...string) {
	o := account.Opened{AccountHolder: "Jörg Müller", AccountType: account.Savings, OpeningBalance: money("100.00 EUR")}
	for _, c := range contact {
		if strings.Contains(c, "@") {
			o.Email = c
		} else {
			o.Phone = c
		}
	}
	h.balances[id] = o.OpeningBalance
	h.add(id, account.OpenedName, o)
}

func (h *history) deposit(id, amount string) {
	h.balances[id] = must(h.balances[id].Add(money(amount)))
	h.add(id, account.DepositedName, account.Deposited{Amount: money(amount), Balance: h.balances[id], Reference: "rent"})
}

func (h *history) withdraw(id, amount string) {
	h.balances[id] = must(h.balances[id].Sub(money(amount)))
	h.add(id, account.WithdrawnName, account.Withdrawn{Amount: money(amount), Balance: h.balances[id]})
}

func (h *history) close(id string) { h.add(id, account.ClosedName, account.Closed{Reason: "moved"}) }

// money reads "12.50 EUR".
func money(text string) account.Money {
	amount, currency, _ := strings.Cut(text, " ")
	return must(account.ParseMoney(amount, currency))
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// memoryBus is a topic in memory that leads its records to a consumer.
type memoryBus struct {
	*projectiontest.Topic
	mu   sync.Mutex
	next map[int32]int64
	// news is closed, and made anew, when something was published.
	news chan struct{}
	read chan struct{}
	// err is what the consumer ended with.
	err error
}

var (
	_ notify.Feed    = (*memoryBus)(nil)
	_ bus.Subscriber = (*memoryBus)(nil)
)

const partitions = 3

// newTopic returns a topic of that id with all events of a history.
func newTopic(id string, h *history) *memoryBus {
	b := &memoryBus{
		Topic: projectiontest.NewTopic(id, partitions, projectiontest.NewHistory(h.id)),
		news:  make(chan struct{}), read: make(chan struct{}, 1), next: make(map[int32]int64),
	}
	b.publish(h.events...)
	return b
}

// publish adds events to the topic.
func (b *memoryBus) publish(events ...event.Envelope) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, e := range events {
		b.Publish(bus.Partition(e.Stream, partitions), e)
	}
	close(b.news)
	b.news = make(chan struct{})
}

// await waits until everything was read.
func (b *memoryBus) await(tb testing.TB) {
	tb.Helper()
	for {
		b.mu.Lock()
		behind := len(b.next) < partitions
		bounds, _ := b.Bounds(context.Background(), b.Topic.Topic)
		for p, end := range bounds {
			behind = behind || b.next[int32(p)] < end.End
		}
		err := b.err
		b.mu.Unlock()
		require.NoError(tb, err)
		if !behind {
			return
		}
		<-b.read
	}
}

// Run implements bus.Subscriber for one member.
func (b *memoryBus) Run(ctx context.Context, _ string, consumer bus.Consumer) error {
	for ctx.Err() == nil {
		b.mu.Lock()
		news := b.news
		for p := range int32(partitions) {
			if err := b.lead(ctx, p, consumer); err != nil {
				if ctx.Err() != nil {
					err = nil
				}
				b.err = err
				b.mu.Unlock()
				b.tell()
				return err
			}
		}
		b.mu.Unlock()
		b.tell()
		select {
		case <-news:
		case <-ctx.Done():
		}
	}
	return nil
}

// tell has those look who wait for what was read.
func (b *memoryBus) tell() {
	select {
	case b.read <- struct{}{}:
	default:
	}
}

// lead assigns a partition, once, and consumes it to its end.
func (b *memoryBus) lead(ctx context.Context, p int32, consumer bus.Consumer) error {
	next, assigned := b.next[p]
	if !assigned {
		var err error
		if next, err = consumer.Assign(ctx, b.Assignment(p)); err != nil {
			return err
		}
	}
	for {
		b.next[p] = next
		run := b.Topic.Run(p, next, 10)
		if len(run.Records) == 0 {
			return nil
		}
		var err error
		if next, err = consumer.Consume(ctx, run); err != nil {
			return err
		}
	}
}

// fakeChannel is a channel that a test has in its hands.
type fakeChannel struct {
	name    string
	address func(notify.Contact) (string, bool)
	send    func(ctx context.Context, n notify.Notification) error
}

func (c *fakeChannel) Name() string { return c.name }

func (c *fakeChannel) Address(contact notify.Contact) (string, bool) {
	if c.address == nil {
		return "", true
	}
	return c.address(contact)
}

func (c *fakeChannel) Send(ctx context.Context, n notify.Notification) error {
	if c.send == nil {
		return errors.New("it cannot send anything")
	}
	return c.send(ctx, n)
}

func phone(c notify.Contact) (string, bool) { return c.Phone, c.Phone != "" }

// named are channels of those names that reach everybody and send nothing.
func named(names ...string) (channels []notify.Channel) {
	for _, name := range names {
		channels = append(channels, &fakeChannel{name: name})
	}
	return channels
}

const (
	waitMax = time.Minute
	poll    = 5 * time.Millisecond
)

func sorted(lines []string) []string {
	slices.Sort(lines)
	return lines
}
