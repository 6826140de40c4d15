package e2e_test

import (
	"database/sql"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"passbook/bank/readmodel"
	"passbook/engine/sqlite"
	"passbook/es/event"
	"passbook/es/eventstore"
	"passbook/es/projection"
	"passbook/es/relay"
	"passbook/es/verify"
	"passbook/internal/testenv"
)

// rounds is how many random cases a test takes; more by hand, by that variable,
// and few under the race detector, for which they are all alike.
func rounds(t *testing.T, otherwise int) int {
	t.Helper()
	if text := os.Getenv("PASSBOOK_VERIFY_ROUNDS"); text != "" {
		n, err := strconv.Atoi(text)
		require.NoError(t, err)
		return n
	}
	if testenv.Race() {
		return max(1, otherwise/10)
	}
	return otherwise
}

// Systems that nobody touched: there is nothing to tell but what explains itself.
func TestVerify_Untouched(t *testing.T) {
	t.Parallel()
	g := newGround(t)
	for seed := range rounds(t, 15) {
		rng := rand.New(rand.NewPCG(uint64(seed), 1))
		s := shape{events: 1 + rng.IntN(200), odd: rng.IntN(3) == 0, unread: rng.IntN(3) == 0}
		if rng.IntN(3) == 0 {
			s.unpublished = rng.IntN(s.events)
		}
		w := newWhole(t, g, rng, s)
		r := w.verify(t)
		require.Empty(t, r.Differences, "seed %d, %+v: %v", seed, s, lines(r))
		require.True(t, r.Agree())
		require.Equal(t, int64(len(w.events)), r.Events)
		if s.unpublished == 0 && !s.odd && !s.unread {
			require.Empty(t, r.Notes, "seed %d", seed)
			require.Equal(t, r.Events, r.Entries)
			require.Equal(t, r.Events, r.Records)
		}
		require.Equal(t, int64(s.unpublished), r.RelayLag, "seed %d, %+v", seed, s)
		if s.unread {
			require.NotEmpty(t, r.Notes)
		}
	}
}

// What explains itself is named apart from differences.
func TestVerify_SetAside(t *testing.T) {
	t.Parallel()
	g := newGround(t)
	rng := rand.New(rand.NewPCG(7, 7))
	w := newWhole(t, g, rng, shape{events: 300, odd: true})
	parked := query(t, w.read(), "SELECT stream FROM parked_stream ORDER BY stream")
	require.NotEmpty(t, parked)
	r := w.verify(t)
	require.Empty(t, r.Differences, lines(r))
	require.Equal(t, int64(len(parked)), r.Parked)

	t.Run("Repeats", func(t *testing.T) {
		records := w.feed(t)
		other := w.copy(t)
		records[1] = append(records[1], records[1][2], records[1][0])
		other.publish(t, records)
		r := other.verify(t)
		require.Empty(t, r.Differences, lines(r))
		require.Equal(t, int64(2), r.Repeats)
	})
	t.Run("Discarded", func(t *testing.T) {
		other := w.copy(t)
		read, project := other.projection(t)
		one, _, err := project.ParkedStream(t.Context(), parked[0], 1)
		require.NoError(t, err)
		_, err = project.Discard(t.Context(), one.Stream, one.Version, "never to be known", "operator")
		require.NoError(t, err)
		require.NoError(t, read.Close())
		r := other.verify(t)
		require.Empty(t, r.Differences, lines(r))
		require.Equal(t, int64(1), r.Discarded)
	})
	t.Run("TopicMadeAgain", func(t *testing.T) {
		other := w.copy(t)
		other.topic = other.newTopic()
		_, err := other.bus(t, other.topic).Open(t.Context())
		require.NoError(t, err)
		r := other.verify(t)
		require.Empty(t, r.Differences, lines(r))
		require.Equal(t, r.Events, r.RelayLag)
	})
	t.Run("NoTopic", func(t *testing.T) {
		other := w.copy(t)
		other.topic = other.newTopic()
		_, err := other.tryVerify(t.Context(), other.bus(t, other.topic))
		require.ErrorContains(t, err, "no such topic")
	})
	t.Run("ReadAgain", func(t *testing.T) {
		other := w.copy(t)
		alter(t, other.read(), "DELETE FROM checkpoint WHERE partition = 1")
		r := other.verify(t)
		require.Empty(t, r.Differences, lines(r))
		require.Contains(t, lines(r)[0]+lines(r)[1], "read again")
	})
}

// An event that lacks its record while a later one of its partition is there is
// missing, whatever the relay says of how far it has come.
func TestVerify_WithoutTheRelaysWord(t *testing.T) {
	t.Parallel()
	w := newWhole(t, newGround(t), rand.New(rand.NewPCG(8, 8)), shape{events: 120})
	records := w.feed(t)
	e := testenv.Decode(t, records[1][4])
	tail := testenv.Decode(t, records[2][len(records[2])-1])
	records[1] = slices.Delete(records[1], 4, 5)
	records[2] = records[2][:len(records[2])-1]
	alter(t, w.read(), "DELETE FROM checkpoint WHERE partition = 2") // it stands behind a record that is gone
	w.publish(t, records)
	alter(t, w.store(), "DELETE FROM progress")
	r := w.verify(t)
	require.Len(t, r.Differences, 1, lines(r))
	require.Equal(t, verify.Missing, r.Differences[0].Kind)
	require.Equal(t, e.ID, r.Differences[0].EventID)
	require.Equal(t, int64(1), r.RelayLag, "event %s is yet to be published, for all that is known", tail.ID)
}

// The store itself: positions and versions without a gap, times that never fall.
func TestVerify_StoreItself(t *testing.T) {
	t.Parallel()
	base := newWhole(t, newGround(t), rand.New(rand.NewPCG(9, 9)), shape{events: 120})
	e := base.events[60]
	for e.Version == 0 || e.ID == base.last(e.Stream).ID {
		e = base.events[e.Position] // the next one
	}
	t.Run("PositionMissing", func(t *testing.T) {
		w := base.copy(t)
		alter(t, w.store(), "DELETE FROM event WHERE position = ?", e.Position)
		requireDifference(t, w.verify(t), verify.InStore, verify.Missing, verify.Difference{Version: event.NoVersion, Position: e.Position})
		requireDifference(t, w.verify(t), verify.InStore, verify.Missing, verify.Difference{Stream: e.Stream, Version: e.Version})
	})
	t.Run("TimeFalls", func(t *testing.T) {
		w := base.copy(t)
		alter(t, w.store(), "UPDATE event SET time_us = time_us - 3600000000 WHERE position = ?", e.Position)
		requireDifference(t, w.verify(t), verify.InStore, verify.Altered, verify.Difference{Stream: e.Stream, Version: e.Version, Position: e.Position})
	})
	t.Run("PositionsSwapped", func(t *testing.T) {
		w := base.copy(t)
		before := base.events[slices.IndexFunc(base.events, func(b event.Envelope) bool { return b.Stream == e.Stream && b.Version == e.Version-1 })]
		alter(t, w.store(), "UPDATE event SET position = position + 1000 WHERE position IN (?, ?)", before.Position, e.Position)
		alter(t, w.store(), "UPDATE event SET position = ? WHERE version = ? AND stream = ?", e.Position, before.Version, e.Stream)
		alter(t, w.store(), "UPDATE event SET position = ? WHERE version = ? AND stream = ?", before.Position, e.Version, e.Stream)
		requireDifference(t, w.verify(t), verify.InStore, verify.Reordered, verify.Difference{Stream: e.Stream, Version: e.Version, Position: before.Position})
	})
	t.Run("DoesNotAddUp", func(t *testing.T) {
		w := base.copy(t)
		alter(t, w.store(), `UPDATE event SET data = CAST(replace(CAST(data AS TEXT), '"amount":"', '"amount":"9') AS BLOB) WHERE position = ?`, e.Position)
		requireDifference(t, w.verify(t), verify.InStore, verify.Unapplicable, verify.Difference{Stream: e.Stream, Version: e.Version, Position: e.Position})
	})
}

// More accounts than a page has, and an account with more entries than a page:
// nothing is left out at the seams, and nothing met twice.
func TestVerify_Pages(t *testing.T) {
	t.Parallel()
	if testenv.Race() {
		t.Skip("it is minutes for the race detector, which finds nothing in one reader after the other")
	}
	const long, many, events = 9000, 600, 20
	base := newWhole(t, newGround(t), rand.New(rand.NewPCG(10, 10)), shape{events: events, long: long, many: many})
	r := base.verify(t)
	require.Empty(t, r.Differences, lines(r))
	require.Empty(t, r.Notes)
	require.Equal(t, int64(long+many+events), r.Entries)
	require.Equal(t, []string{strconv.FormatInt(r.Rows, 10)}, query(t, base.read(), "SELECT count(*) FROM bank_account"))
	for _, statement := range []string{
		"UPDATE account_entry SET balance = '1' WHERE account_id = ? AND version = 8999",
		"UPDATE account_entry SET event_id = '1' WHERE account_id = ? AND version = 4097",
		"DELETE FROM account_entry WHERE account_id = ? AND version = 4095",
		"UPDATE bank_account SET balance_units = 1 WHERE id = ?",
		"INSERT INTO account_entry SELECT account_id, 20000, event_id, time, kind, amount, balance, reference, position, since FROM account_entry WHERE account_id = ? AND version = 7",
	} {
		w := base.copy(t)
		alter(t, w.read(), statement, w.long)
		r := w.verify(t)
		require.Len(t, r.Differences, 1, "%s: %q", statement, lines(r))
		require.Equal(t, w.long, r.Differences[0].Stream)
	}
	w := base.copy(t)
	alter(t, w.read(), "DELETE FROM bank_account WHERE id = ?", w.long)
	r = w.verify(t)
	require.Greater(t, r.Found, int64(long), "each of its events is missing, and the row")
	require.Equal(t, w.long, r.Differences[0].Stream)
}

func requireDifference(t *testing.T, r *verify.Report, place verify.Place, kind verify.Kind, want verify.Difference) {
	t.Helper()
	require.True(t, slices.ContainsFunc(r.Differences, func(d verify.Difference) bool {
		return d.Place == place && d.Kind == kind && d.Stream == want.Stream && d.Version == want.Version && d.Position == want.Position
	}), "%s %s %+v: %q", place, kind, want, lines(r))
}

// A system under load, with everything that can lag lagging: it agrees with
// itself at every moment.
func TestVerify_UnderLoad(t *testing.T) {
	t.Parallel()
	g := newGround(t)
	w := &whole{ground: g, dir: t.TempDir(), topic: g.newTopic()}
	engine, err := sqlite.OpenEventStore(t.Context(), w.store())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, engine.Close()) })
	store, err := eventstore.New(t.Context(), engine, eventstore.Config{Logger: quiet})
	require.NoError(t, err)
	background(t, store.Run)
	checkpoints, err := engine.Checkpoints(t.Context())
	require.NoError(t, err)
	bus := g.bus(t, w.topic)
	background(t, relay.New(store, bus, checkpoints, relay.Config{PageEvents: 20, SaveInterval: time.Millisecond, Logger: quiet}).Run)
	read, _ := w.projection(t)
	t.Cleanup(func() { require.NoError(t, read.Close()) })
	model, err := readmodel.NewModel(readmodel.SQLite, readmodel.LiveTables())
	require.NoError(t, err)
	project, err := projection.New(verifyConsumer, read, model, projection.Config{Subscriber: bus, Logger: quiet})
	require.NoError(t, err)
	background(t, project.Run)

	bank := newBankEvents(rand.New(rand.NewPCG(3, 3)), false)
	for entries := 0; entries == 0; { // until it is all under way
		bank.append(t, store)
		require.NoError(t, read.View(t.Context(), func(tx *sql.Tx) error {
			return tx.QueryRowContext(t.Context(), "SELECT count(*) FROM account_entry").Scan(&entries)
		}))
	}
	looks := rounds(t, 6)
	found := make(chan *verify.Report)
	failed := make(chan error, 1)
	go func() {
		defer close(found)
		for range looks {
			r, err := w.tryVerify(t.Context(), bus)
			if err != nil {
				failed <- err
				return
			}
			found <- r
		}
	}()
	var last *verify.Report
	for isOpen := true; isOpen; {
		bank.append(t, store) // all the while
		select {
		case r, ok := <-found:
			if isOpen = ok; ok {
				require.Empty(t, r.Differences, lines(r))
				last = r
			}
		default:
		}
	}
	require.Empty(t, failed)
	require.Positive(t, last.Events)
	require.Positive(t, last.Entries)
}
