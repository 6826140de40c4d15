package projectiontest

import (
	"context"
	"fmt"

	"github.com/stretchr/testify/require"

	"passbook/es/checkpoint"
	"passbook/es/projection"
)

// swapsLines swaps several times, so that what an earlier line left behind
// stands in nobody's way.
func swapsLines[Tx any](t T, db LinesDatabase[Tx]) {
	lines, tables := db.Open(t), []string{db.Table}
	live, _ := lineIDs(t, lines)
	db.fill(t, lines, db.Table)
	filled := true
	for i := range 4 {
		id := fmt.Sprintf("line %d's id", i)
		next := db.begin(t, lines, id)
		if filled = !filled; filled {
			db.fill(t, lines.Next(), next)
		}
		checked := false
		err := db.Open(t).Swap(t.Context(), id, tables, func(ctx context.Context, tx Tx) error {
			checked = true
			gotLive, gotNext, err := lines.Line(ctx, tx)
			require.NoError(t, err)
			require.Equal(t, []string{live, id}, []string{gotLive, gotNext})
			old, err := lines.Checkpoints(ctx, tx, consumer)
			require.NoError(t, err)
			coming, err := lines.Next().Checkpoints(ctx, tx, consumer)
			require.NoError(t, err)
			require.Equal(t, filled, len(old) == 0 && len(coming) == 1, "check sees both lines")
			row, err := db.Rows(next).Get(ctx, tx, "a")
			require.NoError(t, err)
			require.Equal(t, filled, row != "")
			return nil
		})
		require.NoError(t, err)
		require.True(t, checked)
		live = id
		for _, store := range []projection.Lines[Tx]{lines, db.Open(t)} {
			requireIDs(t, store, live, "")
			db.requireFilled(t, store, db.Table, filled)
			requireDiscarded(t, store)
			require.ErrorIs(t, store.Next().View(t.Context(), func(Tx) error { return nil }), projection.ErrNoLine)
		}
		require.ErrorIs(t, lines.Swap(t.Context(), id, tables, nil), projection.ErrNoLine, "twice")
		require.ErrorIs(t, lines.Drop(t.Context(), id, tables), projection.ErrNoLine)
	}
	// The live line can be written to as before.
	update(t, lines, func(tx Tx) error {
		_, err := lines.LockCheckpoints(t.Context(), tx, consumer, 5)
		require.NoError(t, err)
		return lines.SaveCheckpoints(t.Context(), tx, consumer, checkpoint.Progress{Partition: 5, Topic: "t"})
	})
}

// swapsNothing: what check finds wrong leaves everything as it was, and so does
// another list of tables.
func swapsNothing[Tx any](t T, db LinesDatabase[Tx]) {
	lines := db.Open(t)
	live, _ := lineIDs(t, lines)
	next := db.begin(t, lines, "next")
	db.fill(t, lines.Next(), next)
	err := lines.Swap(t.Context(), "next", []string{db.Table}, func(ctx context.Context, tx Tx) error {
		require.NoError(t, lines.Next().Unpark(ctx, tx, consumer, "a"))
		require.NoError(t, lines.SaveCheckpoints(ctx, tx, consumer, checkpoint.Progress{Topic: "t"}))
		return errPlanted
	})
	require.Equal(t, errPlanted, err, "the error of the function comes back as it is")
	requireIDs(t, lines, live, "next")
	db.requireFilled(t, lines, db.Table, false)
	db.requireFilled(t, lines.Next(), next, true)
	require.Error(t, lines.Swap(t.Context(), "next", nil, func(context.Context, Tx) error { return nil }))
	require.Error(t, lines.Drop(t.Context(), "next", []string{db.Table, "another"}))
	requireIDs(t, lines, live, "next")

	db.swap(t, lines, "next")
	db.requireFilled(t, lines, db.Table, true)
}

// beginsNothing: a line whose tables cannot be made is none, and nothing of it
// stands in the way of the next one.
func beginsNothing[Tx any](t T, db LinesDatabase[Tx]) {
	lines := db.Open(t)
	live, _ := lineIDs(t, lines)
	err := lines.Begin(t.Context(), "next", []string{db.Table}, func(ctx context.Context, tx Tx, names map[string]string) error {
		require.NoError(t, db.Create(ctx, tx, names[db.Table]))
		return errPlanted
	})
	require.ErrorIs(t, err, errPlanted)
	requireIDs(t, lines, live, "")
	db.begin(t, lines, "another")
	requireIDs(t, lines, live, "another")
}

// fencesLines: who builds a line that another has taken the place of, or that
// was dropped, cannot swap or drop that one.
func fencesLines[Tx any](t T, db LinesDatabase[Tx]) {
	lines, tables := db.Open(t), []string{db.Table}
	live, _ := lineIDs(t, lines)
	next := db.begin(t, lines, "one")
	db.fill(t, lines.Next(), next)
	next = db.begin(t, db.Open(t), "two")
	db.requireFilled(t, lines.Next(), next, false)
	check := func(context.Context, Tx) error { return nil }
	require.ErrorIs(t, lines.Swap(t.Context(), "one", tables, check), projection.ErrNoLine)
	require.ErrorIs(t, lines.Drop(t.Context(), "one", tables), projection.ErrNoLine)
	requireIDs(t, lines, live, "two")
	db.fill(t, lines.Next(), next)
	db.swap(t, lines, "two")
	db.requireFilled(t, lines, db.Table, true)
}

// refusesUsedIDs: an id that came twice would let who builds the one swap the
// other.
func refusesUsedIDs[Tx any](t T, db LinesDatabase[Tx]) {
	lines, tables := db.Open(t), []string{db.Table}
	live, _ := lineIDs(t, lines)
	create := func(ctx context.Context, tx Tx, names map[string]string) error {
		return db.Create(ctx, tx, names[db.Table])
	}
	refused := func(ids ...string) {
		for _, id := range ids {
			require.Error(t, lines.Begin(t.Context(), id, tables, create), "%q", id)
		}
	}
	refused("", live)
	next := db.begin(t, lines, "one")
	db.fill(t, lines.Next(), next)
	refused("", live, "one")
	requireIDs(t, lines, live, "one")
	db.requireFilled(t, lines.Next(), next, true)
	db.swap(t, lines, "one")
	refused("one", live)
	db.begin(t, lines, "two")
	require.NoError(t, lines.Drop(t.Context(), "two", tables))
	refused("two", "one", live)
	requireIDs(t, lines, "one", "")
	db.requireFilled(t, lines, db.Table, true)
}

func dropsLine[Tx any](t T, db LinesDatabase[Tx]) {
	lines, tables := db.Open(t), []string{db.Table}
	live, _ := lineIDs(t, lines)
	db.fill(t, lines, db.Table)
	for _, id := range []string{"one", "two"} {
		next := db.begin(t, lines, id)
		db.requireFilled(t, lines.Next(), next, false)
		db.fill(t, lines.Next(), next)
		require.ErrorIs(t, lines.Drop(t.Context(), live, tables), projection.ErrNoLine)
		require.NoError(t, db.Open(t).Drop(t.Context(), id, tables))
		requireIDs(t, lines, live, "")
		require.ErrorIs(t, lines.Next().View(t.Context(), func(Tx) error { return nil }), projection.ErrNoLine)
		require.ErrorIs(t, lines.Drop(t.Context(), id, tables), projection.ErrNoLine)
		db.requireFilled(t, lines, db.Table, true)
		requireDiscarded(t, lines)
	}
}
