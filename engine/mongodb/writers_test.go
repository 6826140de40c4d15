package mongodb_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"passbook/engine/mongodb"
	"passbook/es/event"
	"passbook/es/eventstore"
)

// ledger is what callers were told, to be compared with what is there.
type ledger struct {
	mu sync.Mutex
	// acknowledged has the position of each event, refused the ids of those of
	// which nothing may be there.
	acknowledged map[string]int64
	refused      map[string]error
	unknown      int
	// intervals are those of acknowledged commits, where they were noted.
	intervals []interval
}

func newLedger() *ledger {
	return &ledger{acknowledged: make(map[string]int64), refused: make(map[string]error)}
}

// note takes down what a caller was told of a commit.
func (l *ledger) note(c eventstore.Commit, receipt eventstore.Receipt, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case err == nil:
		for i, e := range c.Events {
			l.acknowledged[e.ID] = receipt.Position - int64(len(c.Events)-1-i)
		}
	case inDoubt(err):
		l.unknown++
	default:
		for _, e := range c.Events {
			l.refused[e.ID] = err
		}
	}
}

// inDoubt tells whether nothing is known of a commit.
func inDoubt(err error) bool {
	return errors.Is(err, eventstore.ErrOutcomeUnknown) || errors.Is(err, context.DeadlineExceeded)
}

func (l *ledger) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.acknowledged)
}

// compare checks the store's events against what was told.
func (l *ledger) compare(t testing.TB, all []event.Envelope) {
	t.Helper()
	there := make(map[string]int64, len(all))
	for _, e := range all {
		there[e.ID] = e.Position
	}
	for id, position := range l.acknowledged {
		require.Equal(t, position, there[id], "event %s was acknowledged", id)
	}
	for id, err := range l.refused {
		require.Zero(t, there[id], "event %s was refused: %v", id, err)
	}
	t.Logf("%d events; acknowledged %d, refused %d, commits in doubt %d", len(all), len(l.acknowledged), len(l.refused), l.unknown)
}

// writer is a process that appends: an engine with a Store, and its callers.
type writer struct {
	store *eventstore.Store
	// streams is over how many streams callers spread, eventsMax how many events a
	// commit has at most.
	streams, eventsMax int
	// told takes down what a caller was told, from several at once.
	told func(answer)
}

// answer is what became of a commit, as its caller knows it.
type answer struct {
	eventstore.Commit
	eventstore.Receipt
	err error
	// began is the uptime at which it was handed in.
	began int64
}

// startWriter runs a writer with so many callers until ctx ends; the function
// that it returns waits for that.
func startWriter(ctx context.Context, t testing.TB, url string, callers int, w writer) (wait func()) {
	t.Helper()
	engine, err := mongodb.OpenEventStore(t.Context(), url)
	require.NoError(t, err)
	quiet := slog.New(slog.DiscardHandler)
	w.store, err = eventstore.New(t.Context(), engine, eventstore.Config{Logger: quiet, AttemptTimeout: 5 * time.Second})
	require.NoError(t, err)
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	ran := make(chan error, 1)
	go func() { ran <- w.store.Run(running) }()
	var all sync.WaitGroup
	for i := range callers {
		all.Go(func() { w.call(ctx, i) })
	}
	return func() {
		all.Wait()
		stop()
		require.NoError(t, <-ran)
		require.NoError(t, engine.Close())
	}
}

// call appends to one stream after the other, reading its version when it was
// told that it is another.
func (w writer) call(ctx context.Context, caller int) {
	random := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), uint64(caller)))
	expected := make(map[string]int64)
	for ctx.Err() == nil {
		stream := fmt.Sprint("account-", random.IntN(w.streams))
		version, known := expected[stream]
		if !known {
			var err error
			if version, err = w.store.StreamVersion(ctx, stream); err != nil {
				continue
			}
		}
		c := commit(stream, version, 1+random.IntN(w.eventsMax))
		if random.IntN(3) == 0 {
			c = keyed(c, event.NewID())
		}
		limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), 20*time.Second)
		began := uptime()
		receipt, err := w.store.Append(limited, c)
		cancel()
		w.told(answer{Commit: c, Receipt: receipt, err: err, began: began})
		if delete(expected, stream); err == nil {
			expected[stream] = receipt.Version
		}
	}
}

// follow reads the store as it grows, and compares at the end: every event once,
// in order, as it stayed.
func follow(ctx context.Context, t testing.TB, url string) (wait func(all []event.Envelope)) {
	t.Helper()
	engine, err := mongodb.OpenEventStore(t.Context(), url)
	require.NoError(t, err)
	seen := make(chan []string, 1)
	go func() {
		var ids []string
		for ctx.Err() == nil {
			page, err := engine.ReadAll(ctx, int64(len(ids)), 500)
			if errors.Is(err, eventstore.ErrMissing) {
				ids = append(ids, err.Error()) // no event has such an id
				break
			}
			for _, e := range page {
				ids = append(ids, e.ID)
			}
		}
		seen <- ids
	}()
	return func(all []event.Envelope) {
		ids := <-seen
		require.LessOrEqual(t, len(ids), len(all))
		for i, id := range ids {
			require.Equal(t, all[i].ID, id, "what a reader saw at position %d", i+1)
		}
		require.NotEmpty(t, ids)
		require.NoError(t, engine.Close())
	}
}

// TestWriters: several writers on one stream and on many. Everybody gets on, and
// what each was told is so.
func TestWriters(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ writers, streams, eventsMax int }{{2, 1, 1}, {4, 40, 1}, {4, 5, 3}} {
		t.Run(fmt.Sprintf("%d writers, %d streams, up to %d events", test.writers, test.streams, test.eventsMax), func(t *testing.T) {
			t.Parallel()
			r := newRoom(t)
			ctx, stop := context.WithCancel(t.Context())
			reader := follow(ctx, t, r.url)
			var waits []func()
			var ledgers []*ledger
			for range test.writers {
				l := newLedger()
				ledgers = append(ledgers, l)
				told := func(a answer) { l.note(a.Commit, a.Receipt, a.err) }
				waits = append(waits, startWriter(ctx, t, r.url, 8, writer{streams: test.streams, eventsMax: test.eventsMax, told: told}))
			}
			require.Eventually(t, func() bool {
				for _, l := range ledgers {
					if l.count() < 200 {
						return false
					}
				}
				return true
			}, 2*time.Minute, 10*time.Millisecond, "a writer does not get on")
			stop()
			for _, wait := range waits {
				wait()
			}
			all := readAll(t, r.open(t))
			reader(all)
			for _, l := range ledgers {
				l.compare(t, all)
			}
		})
	}
}

// TestKeyRaces: two engines commit under the same key at the same moment. One
// holds it; the other learns what that one committed.
func TestKeyRaces(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	engines := []*mongodb.EventStore{r.open(t), r.open(t)}
	for round := range 40 {
		head, err := engines[0].Head(t.Context())
		require.NoError(t, err)
		commits := make([]eventstore.Commit, 2)
		outcomes := make(chan eventstore.Outcome, 2)
		for i, engine := range engines {
			c := keyed(opening(event.NewID(), 1+round%2), fmt.Sprint("key ", round))
			commits[i] = c
			go func() { outcomes <- untilSettled(t.Context(), engine, head+1, c) }()
		}
		states := make(map[eventstore.State]eventstore.Outcome)
		for range engines {
			o := <-outcomes
			states[o.State] = o
		}
		require.Contains(t, states, eventstore.Written, "%+v", states)
		require.Contains(t, states, eventstore.KeyTaken, "%+v", states)
		holder := states[eventstore.KeyTaken].Prior
		require.Equal(t, []byte("result of "+holder.Stream), holder.Result)
		require.Equal(t, states[eventstore.Written].Position+int64(round%2), holder.Position)
	}
	require.Len(t, readAll(t, engines[0]), 60)
}

// untilSettled hands a commit in until it is written or refused; nothing is its
// state if the engine fails.
func untilSettled(ctx context.Context, engine *mongodb.EventStore, first int64, c eventstore.Commit) eventstore.Outcome {
	for {
		outcomes, err := engine.Append(ctx, first, []eventstore.Commit{c})
		if err != nil {
			return eventstore.Outcome{}
		}
		if outcomes[0].State != eventstore.NotTried {
			return outcomes[0]
		}
		head, err := engine.Head(ctx)
		if err != nil {
			return eventstore.Outcome{}
		}
		first = head + 1
	}
}
