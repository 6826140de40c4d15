package projectiontest

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"passbook/es/projection"
)

// LinesDatabase is a database of the engine under test, with a live line that
// is empty. Its model has one table for rows.
type LinesDatabase[Tx any] struct {
	// Open returns a store on the database, as each process has one of its own.
	Open func(t T) projection.Lines[Tx]
	// Table is the live name of the model's table, which is there, and Rows are
	// the rows of a table of that or another name.
	Table string
	Rows  func(table string) Rows[Tx]
	// Create makes a table of that name, with an index on it whose name is free.
	Create func(ctx context.Context, tx Tx, table string) error
	// ReadsBeside: a transaction that reads does not keep a line from being
	// swapped.
	ReadsBeside bool
}

// LinesCheck is one thing that the suite for lines looks at.
type LinesCheck[Tx any] struct {
	Name string
	Run  func(t T, db LinesDatabase[Tx])
}

// RunLines runs every check for lines on a database of its own, in parallel.
func RunLines[Tx any](t *testing.T, open func(t T) LinesDatabase[Tx]) {
	t.Helper()
	for _, check := range LinesChecks[Tx]() {
		t.Run(check.Name, func(t *testing.T) {
			t.Parallel()
			check.Run(t, open(t))
		})
	}
}

// LinesChecks returns what RunLines runs.
func LinesChecks[Tx any]() []LinesCheck[Tx] {
	return []LinesCheck[Tx]{
		{"None", noNextLine[Tx]},
		{"Beside", buildsBeside[Tx]},
		{"Swap", swapsLines[Tx]},
		{"CheckFails", swapsNothing[Tx]},
		{"CreateFails", beginsNothing[Tx]},
		{"Fenced", fencesLines[Tx]},
		{"Ids", refusesUsedIDs[Tx]},
		{"Drop", dropsLine[Tx]},
		{"Readers", readsOneLine[Tx]},
		{"Transaction", keepsTransactionsWhole[Tx]},
		{"Writers", swapsBetweenWriters[Tx]},
		{"Rebuild", RebuildPassesOver[Tx]},
	}
}

// begin begins a line and returns the name of its table.
func (db LinesDatabase[Tx]) begin(t T, lines projection.Lines[Tx], id string) (next string) {
	t.Helper()
	err := lines.Begin(t.Context(), id, []string{db.Table}, func(ctx context.Context, tx Tx, names map[string]string) error {
		require.Len(t, names, 1)
		next = names[db.Table]
		require.NotEqual(t, db.Table, next)
		return db.Create(ctx, tx, next)
	})
	require.NoError(t, err)
	require.NotEmpty(t, next)
	return next
}

func (db LinesDatabase[Tx]) swap(t T, lines projection.Lines[Tx], id string) {
	t.Helper()
	require.NoError(t, lines.Swap(t.Context(), id, []string{db.Table}, func(context.Context, Tx) error { return nil }))
}

// on is the database as the rest of the suite knows it, with one of its stores
// and one of its tables.
func (db LinesDatabase[Tx]) on(store projection.Store[Tx], table string) Database[Tx] {
	return Database[Tx]{Open: func(T) projection.Store[Tx] { return store }, Rows: db.Rows(table)}
}

// fill writes to every table of a line, and discards an event.
func (db LinesDatabase[Tx]) fill(t T, store projection.Store[Tx], table string) {
	t.Helper()
	update(t, store, func(tx Tx) error {
		everything(t, db.on(store, table), store, tx)
		return nil
	})
}

// requireFilled wants what fill wrote to be in a line, or nothing of it.
func (db LinesDatabase[Tx]) requireFilled(t T, store projection.Store[Tx], table string, there bool) {
	t.Helper()
	requireLine(t, db.on(store, table), store, there)
}

// requireDiscarded wants what fill discarded to be remembered.
func requireDiscarded[Tx any](t T, store projection.Store[Tx]) {
	t.Helper()
	view(t, store, func(tx Tx) error {
		discards, err := store.Discards(t.Context(), tx, consumer, projection.Discarded{}, 10)
		require.NoError(t, err)
		require.Equal(t, []projection.Discarded{discarded("a", 0, "id")}, plain(discards))
		return nil
	})
	update(t, store, func(tx Tx) error {
		_, discards, err := store.LockParked(t.Context(), tx, consumer, []string{"a"})
		require.NoError(t, err)
		require.Len(t, discards, 1)
		return nil
	})
}

func requireIDs[Tx any](t T, lines projection.Lines[Tx], live, next string) {
	t.Helper()
	gotLive, gotNext := lineIDs(t, lines)
	require.Equal(t, live, gotLive)
	require.Equal(t, next, gotNext)
}

func lineIDs[Tx any](t T, lines projection.Lines[Tx]) (live, next string) {
	t.Helper()
	view(t, lines, func(tx Tx) (err error) {
		live, next, err = lines.Line(t.Context(), tx)
		return err
	})
	require.NotEmpty(t, live)
	return live, next
}

func noNextLine[Tx any](t T, db LinesDatabase[Tx]) {
	lines, tables := db.Open(t), []string{db.Table}
	live, _ := lineIDs(t, lines)
	requireIDs(t, lines, live, "")
	requireIDs(t, db.Open(t), live, "")
	nothing := func(Tx) error { return nil }
	require.ErrorIs(t, lines.Next().Update(t.Context(), nothing), projection.ErrNoLine)
	require.ErrorIs(t, lines.Next().View(t.Context(), nothing), projection.ErrNoLine)
	for _, id := range []string{"", live, "never"} {
		check := func(context.Context, Tx) error { return errors.New("there is nothing to check") }
		require.ErrorIs(t, lines.Swap(t.Context(), id, tables, check), projection.ErrNoLine)
		require.ErrorIs(t, lines.Drop(t.Context(), id, tables), projection.ErrNoLine)
	}
	requireIDs(t, lines, live, "")
}

// buildsBeside: the two lines share nothing but what was discarded.
func buildsBeside[Tx any](t T, db LinesDatabase[Tx]) {
	lines := db.Open(t)
	live, _ := lineIDs(t, lines)
	db.fill(t, lines, db.Table)
	next := db.begin(t, lines, "one")
	requireIDs(t, db.Open(t), live, "one")
	db.requireFilled(t, lines, db.Table, true)
	db.requireFilled(t, lines.Next(), next, false)
	requireDiscarded(t, lines.Next())
	require.NoError(t, lines.Drop(t.Context(), "one", []string{db.Table}))

	next = db.begin(t, lines, "two")
	db.fill(t, db.Open(t).Next(), next)
	db.requireFilled(t, lines.Next(), next, true)
	db.requireFilled(t, lines, db.Table, true)
	update(t, lines.Next(), func(tx Tx) error {
		_, err := db.Rows(next).Swap(t.Context(), tx, "a", "row", "another")
		require.NoError(t, err)
		require.NoError(t, lines.Next().Dequeue(t.Context(), tx, consumer, NewHistory("h").Events("a", 0, 9)))
		return lines.Next().Unpark(t.Context(), tx, consumer, "a")
	})
	db.requireFilled(t, lines, db.Table, true)
}
