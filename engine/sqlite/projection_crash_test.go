package sqlite_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"passbook/engine/sqlite"
	"passbook/es/projection"
)

// image is the files of a database as a process leaves them that dies at a
// moment, and what has to be found in them.
type image struct {
	moment, path       string
	live, next, marked string
}

// crashScene is a store whose live line says "old" and whose next says "new".
type crashScene struct {
	t      *testing.T
	path   string
	store  *sqlite.ProjectionStore
	images []image
}

func newCrashScene(t *testing.T) *crashScene {
	t.Helper()
	s := &crashScene{t: t, path: filepath.Join(t.TempDir(), "readmodel.db")}
	s.store = openProjectionStore(t, s.path)
	require.NoError(t, createRows(t.Context(), s.store.DB(), "suite_row"))
	return s
}

// die keeps the files as they are now.
func (s *crashScene) die(moment, live, next, marked string) {
	s.t.Helper()
	path := filepath.Join(s.t.TempDir(), "image.db")
	for _, suffix := range []string{"", "-wal"} {
		data, err := os.ReadFile(s.path + suffix)
		require.NoError(s.t, err)
		require.NoError(s.t, os.WriteFile(path+suffix, data, 0o600))
	}
	s.images = append(s.images, image{moment, path, live, next, marked})
}

func (s *crashScene) mark(store projection.Store[*sql.Tx], table, text string) {
	s.t.Helper()
	require.NoError(s.t, store.Update(s.t.Context(), func(tx *sql.Tx) error {
		_, err := sqlRows(table).Swap(s.t.Context(), tx, "mark", "", text)
		return errors.Join(err, store.Park(s.t.Context(), tx, "c", projection.Parked{Stream: text, Reason: projection.ReasonGap}))
	}))
}

func begin(ctx context.Context, store *sqlite.ProjectionStore, id string) error {
	return store.Begin(ctx, id, suiteTables, func(ctx context.Context, tx *sql.Tx, next map[string]string) error {
		return createRows(ctx, tx, next["suite_row"])
	})
}

var suiteTables = []string{"suite_row"}

func nothing(context.Context, *sql.Tx) error { return nil }

// TestProjectionStore_DiesWithLines has the process die at each step of building,
// swapping and dropping a line. The next one finds one line or the other, whole,
// and nothing that stands in its way.
func TestProjectionStore_DiesWithLines(t *testing.T) {
	t.Parallel()
	ctx, s := t.Context(), newCrashScene(t)
	live := func() (id string) {
		require.NoError(t, s.store.View(ctx, func(tx *sql.Tx) (err error) {
			id, _, err = s.store.Line(ctx, tx)
			return err
		}))
		return id
	}
	first := live()
	s.mark(s.store, "suite_row", "old")
	require.NoError(t, begin(ctx, s.store, "one"))
	s.die("begun", first, "one", "old")
	s.mark(s.store.Next(), "next_suite_row", "new")
	s.die("built", first, "one", "old")
	s.store.OnRemoval(func() error {
		s.die(fmt.Sprintf("%d removed", len(s.images)), live(), "", map[string]string{first: "old", "one": "new"}[live()])
		return nil
	})
	require.NoError(t, s.store.Drop(ctx, "one", suiteTables))
	require.NoError(t, begin(ctx, s.store, "dropped next"))
	s.store.OnRemoval(nil)
	require.NoError(t, begin(ctx, s.store, "two"))
	s.mark(s.store.Next(), "next_suite_row", "new")
	s.store.OnRemoval(func() error {
		s.die(fmt.Sprintf("swapped, %d", len(s.images)), "two", "", "new")
		return nil
	})
	require.NoError(t, s.store.Swap(ctx, "two", suiteTables, func(context.Context, *sql.Tx) error {
		s.die("checked", first, "two", "old")
		return nil
	}))
	require.Greater(t, len(s.images), 12)
	for _, image := range s.images {
		requireAlive(t, image)
	}
}

func requireAlive(t *testing.T, image image) {
	t.Helper()
	ctx, store := t.Context(), openProjectionStore(t, image.path)
	require.NoError(t, store.View(ctx, func(tx *sql.Tx) error {
		live, next, err := store.Line(ctx, tx)
		require.NoError(t, err, image.moment)
		require.Equal(t, []string{image.live}, []string{live}, image.moment)
		if image.next != "" {
			require.Equal(t, image.next, next, image.moment)
		}
		row, err := sqlRows("suite_row").Get(ctx, tx, "mark")
		require.NoError(t, err, image.moment)
		require.Equal(t, image.marked, row, image.moment)
		parked, err := store.ParkedStreams(ctx, tx, "c", "", 10)
		require.NoError(t, err, image.moment)
		require.Len(t, parked, 1, image.moment)
		require.Equal(t, image.marked, parked[0].Stream, image.moment)
		return nil
	}))
	require.Empty(t, leftBehind(t, store), image.moment)
	require.NoError(t, begin(ctx, store, "after"), image.moment)
	require.NoError(t, store.Swap(ctx, "after", suiteTables, nothing), image.moment)
	require.Empty(t, leftBehind(t, store), image.moment)
}

// leftBehind names the tables of lines that are not used any more.
func leftBehind(t *testing.T, store *sqlite.ProjectionStore) (names []string) {
	t.Helper()
	rows, err := store.DB().QueryContext(t.Context(), `SELECT name FROM sqlite_schema WHERE tbl_name LIKE 'old\_%' ESCAPE '\'`)
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

// TestProjectionStore_RemovesLater: a swap that has taken place is no failure
// because the old tables cannot be removed yet.
func TestProjectionStore_RemovesLater(t *testing.T) {
	t.Parallel()
	ctx, s := t.Context(), newCrashScene(t)
	broken := errors.New("planted")
	require.NoError(t, begin(ctx, s.store, "one"))
	s.store.OnRemoval(func() error { return broken })
	require.NoError(t, s.store.Swap(ctx, "one", suiteTables, nothing))
	require.NotEmpty(t, leftBehind(t, s.store))
	require.ErrorIs(t, begin(ctx, s.store, "two"), broken, "it is told by whoever needs it")
	s.store.OnRemoval(nil)
	require.NoError(t, begin(ctx, s.store, "three"))
	require.Empty(t, leftBehind(t, s.store))
}

// TestProjectionStore_BeginRefuses what would leave a line that can neither be
// swapped nor removed.
func TestProjectionStore_BeginRefuses(t *testing.T) {
	t.Parallel()
	ctx, s := t.Context(), newCrashScene(t)
	for _, tables := range [][]string{{`a"b`}, {""}, {"checkpoint"}, {"a", "a"}, {"1a"}} {
		require.ErrorContains(t, s.store.Begin(ctx, "one", tables, func(context.Context, *sql.Tx, map[string]string) error {
			return nil
		}), "cannot be a table of a model")
	}
	err := s.store.Begin(ctx, "one", suiteTables, func(context.Context, *sql.Tx, map[string]string) error { return nil })
	require.ErrorContains(t, err, "next_suite_row of the next line was not made")
	require.NoError(t, begin(ctx, s.store, "one"))
}
