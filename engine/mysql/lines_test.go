package mysql_test

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"passbook/engine/mysql"
	"passbook/es/checkpoint"
	"passbook/es/event"
	"passbook/es/projection"
	"passbook/internal/testenv"
)

var suiteTables = []string{"suite_row"}

func lineOf(ctx context.Context, store *mysql.ProjectionStore) (live, next string, err error) {
	err = store.View(ctx, func(tx *sql.Tx) (err error) {
		live, next, err = store.Line(ctx, tx)
		return err
	})
	return live, next, err
}

func begin(ctx context.Context, store *mysql.ProjectionStore, id string) error {
	return store.Begin(ctx, id, suiteTables, func(ctx context.Context, tx *sql.Tx, next map[string]string) error {
		return createRows(ctx, tx, next["suite_row"])
	})
}

func nothing(context.Context, *sql.Tx) error { return nil }

// leftBehind names the tables of lines that are not used any more.
func leftBehind(t *testing.T, store *mysql.ProjectionStore) (names []string) {
	t.Helper()
	rows, err := store.DB().QueryContext(t.Context(), `SELECT table_name FROM information_schema.tables
		WHERE table_schema = DATABASE() AND (table_name LIKE 'old\_%' OR table_name LIKE 'next\_%' AND table_name <> 'next_line_number')`)
	require.NoError(t, err)
	defer rows.Close()
	for rows.Next() {
		var name string
		require.NoError(t, rows.Scan(&name))
		names = append(names, name)
	}
	require.NoError(t, rows.Err())
	return names
}

func TestProjectionStore_LeavesNothingBehind(t *testing.T) {
	t.Parallel()
	requireServer(t)
	ctx, store := t.Context(), openStore(t, testenv.MySQLDatabase(t))
	require.NoError(t, createRows(ctx, store.DB(), "suite_row"))
	planted := errors.New("planted")
	for _, id := range []string{"one", "two"} {
		require.ErrorIs(t, store.Begin(ctx, id, suiteTables, func(ctx context.Context, tx *sql.Tx, next map[string]string) error {
			return errors.Join(createRows(ctx, tx, next["suite_row"]), planted)
		}), planted)
		require.NotEmpty(t, leftBehind(t, store))
		require.NoError(t, begin(ctx, store, id))
		require.NoError(t, begin(ctx, store, id+" again"))
		require.NoError(t, store.Swap(ctx, id+" again", suiteTables, nothing))
		require.Empty(t, leftBehind(t, store))
		require.NoError(t, begin(ctx, store, id+" dropped"))
		require.NoError(t, store.Drop(ctx, id+" dropped", suiteTables))
		require.Empty(t, leftBehind(t, store))
	}
}

// TestProjectionStore_BeginRefuses what would leave a line that can neither be
// swapped nor removed.
func TestProjectionStore_BeginRefuses(t *testing.T) {
	t.Parallel()
	requireServer(t)
	ctx, store := t.Context(), openStore(t, testenv.MySQLDatabase(t))
	for _, tables := range [][]string{{"a`b"}, {""}, {"checkpoint"}, {"line_number"}, {"a", "a"}, {"1a"}, {strings.Repeat("a", 46)}} {
		require.ErrorContains(t, store.Begin(ctx, "one", tables, func(context.Context, *sql.Tx, map[string]string) error {
			return nil
		}), "cannot be a table of a model")
	}
	err := store.Begin(ctx, "one", suiteTables, func(context.Context, *sql.Tx, map[string]string) error { return nil })
	require.ErrorContains(t, err, "next_suite_row of the next line was not made")
	require.NoError(t, begin(ctx, store, "one"))
}

// TestProjectionStore_SwapBesideQueries has queries outside of the store's own
// transactions at work while lines are swapped: a single statement never fails,
// and a transaction of several sees one line or is ended as one to try again.
func TestProjectionStore_SwapBesideQueries(t *testing.T) {
	t.Parallel()
	requireServer(t)
	ctx, store := t.Context(), openStore(t, testenv.MySQLDatabase(t))
	require.NoError(t, createRows(ctx, store.DB(), "suite_row"))
	reading, stop := context.WithCancel(ctx)
	defer stop()
	var readers sync.WaitGroup
	var looks atomic.Int64
	failed := make(chan error, 100)
	for range 2 {
		readers.Go(func() {
			for reading.Err() == nil {
				var count int
				if err := store.DB().QueryRowContext(ctx, `SELECT count(*) FROM suite_row`).Scan(&count); err != nil {
					failed <- err
				}
				if err := readTwice(ctx, store.DB()); err != nil && !strings.Contains(err.Error(), "Deadlock") {
					failed <- err
				}
				looks.Add(1)
			}
		})
	}
	for _, id := range []string{"one", "two", "three"} {
		require.NoError(t, begin(ctx, store, id))
		before := looks.Load()
		require.Eventually(t, func() bool { return looks.Load() > before }, waitMax, poll)
		require.NoError(t, store.Swap(ctx, id, suiteTables, nothing))
	}
	stop()
	readers.Wait()
	close(failed)
	for err := range failed {
		require.NoError(t, err)
	}
}

// readTwice reads two tables of a line, which have to be of the same one.
func readTwice(ctx context.Context, db *sql.DB) error {
	tx, err := db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true})
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	var rows, number, again int64
	for query, into := range map[string]*int64{ // in any order
		`SELECT count(*) FROM suite_row`:      &rows,
		`SELECT number FROM line_number`:      &number,
		`SELECT max(number) FROM line_number`: &again,
	} {
		if err := tx.QueryRowContext(ctx, query).Scan(into); err != nil {
			return err
		}
	}
	if number != again {
		return errors.New("two lines in one transaction")
	}
	return nil
}

func TestProjectionStore_SetAsideAndForget(t *testing.T) {
	t.Parallel()
	requireServer(t)
	ctx, store := t.Context(), openStore(t, testenv.MySQLDatabase(t))
	e := func(version, position int64) event.Envelope {
		return event.Envelope{ID: event.NewID(), Stream: "s", Version: version, Position: position, Type: event.Type{Name: "x", Schema: 1}}
	}
	first := e(3, 30)
	require.NoError(t, store.Update(ctx, func(tx *sql.Tx) error {
		for _, consumer := range []string{"c", "C"} {
			_, err := store.LockCheckpoints(ctx, tx, consumer, 1)
			require.NoError(t, err)
			require.NoError(t, store.SaveCheckpoints(ctx, tx, consumer, checkpoint.Progress{Partition: 1, Topic: "t"}))
			require.NoError(t, store.Park(ctx, tx, consumer, projection.Parked{Stream: "s", Reason: projection.ReasonGap}))
			_, err = store.Enqueue(ctx, tx, consumer, []event.Envelope{e(5, 50), first, e(4, 40)})
			require.NoError(t, err)
		}
		require.NoError(t, store.Discard(ctx, tx, "c", projection.Discarded{Stream: "s", Version: 3, EventID: first.ID, Reason: "why"}))
		return store.Dequeue(ctx, tx, "c", []event.Envelope{first})
	}))
	aside := func(consumer string, after int64, limit int) []int64 {
		t.Helper()
		positions, err := store.SetAside(ctx, consumer, after, limit)
		require.NoError(t, err)
		return positions
	}
	require.Equal(t, []int64{30, 40, 50}, aside("c", 0, 10), "what was discarded is known by its place in the queue")
	require.Equal(t, []int64{40}, aside("c", 30, 1))
	require.Equal(t, []int64{30, 40, 50}, aside("C", 0, 10))
	require.NoError(t, store.Update(ctx, func(tx *sql.Tx) error { return store.Forget(ctx, tx, "c") }))
	require.Equal(t, []int64{30}, aside("c", 0, 10))
	require.Equal(t, []int64{30, 40, 50}, aside("C", 0, 10))
	require.NoError(t, store.View(ctx, func(tx *sql.Tx) error {
		all, err := store.Checkpoints(ctx, tx, "c")
		require.NoError(t, err)
		require.Empty(t, all)
		return nil
	}))
}
