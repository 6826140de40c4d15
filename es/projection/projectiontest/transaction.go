package projectiontest

import (
	"context"

	"github.com/stretchr/testify/require"

	"passbook/es/checkpoint"
	"passbook/es/event"
	"passbook/es/projection"
)

// everything writes to each table that a transaction can write to.
func everything[Tx any](t T, db Database[Tx], store projection.Store[Tx], tx Tx) {
	ctx := t.Context()
	_, err := store.LockCheckpoints(ctx, tx, consumer, 0)
	require.NoError(t, err)
	swapped, err := db.Rows.Swap(ctx, tx, "a", "", "row")
	require.NoError(t, err)
	require.True(t, swapped)
	require.NoError(t, store.Park(ctx, tx, consumer, projection.Parked{Stream: "a", Reason: projection.ReasonGap}))
	added, err := store.Enqueue(ctx, tx, consumer, []event.Envelope{NewHistory("h").Event("a", 1)})
	require.NoError(t, err)
	require.Equal(t, 1, added)
	require.NoError(t, store.Discard(ctx, tx, consumer, discarded("a", 0, "id")))
	require.NoError(t, store.SaveCheckpoints(ctx, tx, consumer, checkpoint.Progress{Topic: "t", Next: 7}))
}

// requireEverything wants what everything wrote to be there, or none of it.
func requireEverything[Tx any](t T, db Database[Tx], store projection.Store[Tx], there bool) {
	t.Helper()
	requireLine(t, db, store, there)
	view(t, store, func(tx Tx) error {
		discards, err := store.Discards(t.Context(), tx, consumer, projection.Discarded{}, 10)
		require.NoError(t, err)
		require.Equal(t, there, len(discards) == 1)
		return nil
	})
}

// requireLine is requireEverything without what belongs to no line.
func requireLine[Tx any](t T, db Database[Tx], store projection.Store[Tx], there bool) {
	t.Helper()
	ctx, count, row := t.Context(), 0, ""
	if there {
		count, row = 1, "row"
	}
	view(t, store, func(tx Tx) error {
		got, err := db.Rows.Get(ctx, tx, "a")
		require.NoError(t, err)
		require.Equal(t, row, got)
		checkpoints, err := store.Checkpoints(ctx, tx, consumer)
		require.NoError(t, err)
		require.Len(t, checkpoints, count)
		parked, err := store.ParkedStreams(ctx, tx, consumer, "", 10)
		require.NoError(t, err)
		require.Len(t, parked, count)
		queue, err := store.Queue(ctx, tx, consumer, "a", 10)
		require.NoError(t, err)
		require.Len(t, queue, count)
		return nil
	})
}

func commits[Tx any](t T, db Database[Tx]) {
	store := db.Open(t)
	update(t, store, func(tx Tx) error {
		everything(t, db, store, tx)
		return nil
	})
	requireEverything(t, db, store, true)
	requireEverything(t, db, db.Open(t), true)
}

func rollsBack[Tx any](t T, db Database[Tx]) {
	store := db.Open(t)
	err := store.Update(t.Context(), func(tx Tx) error {
		everything(t, db, store, tx)
		return errPlanted
	})
	require.Equal(t, errPlanted, err, "the error of the function comes back as it is")
	requireEverything(t, db, store, false)

	// What was there before is there again, and the store is not stuck.
	update(t, store, func(tx Tx) error {
		everything(t, db, store, tx)
		return nil
	})
	err = store.Update(t.Context(), func(tx Tx) error {
		_, err := db.Rows.Swap(t.Context(), tx, "a", "row", "other")
		require.NoError(t, err)
		require.NoError(t, store.Dequeue(t.Context(), tx, consumer, NewHistory("h").Events("a", 0, 9)))
		require.NoError(t, store.Unpark(t.Context(), tx, consumer, "a"))
		return errPlanted
	})
	require.Equal(t, errPlanted, err)
	requireEverything(t, db, store, true)
}

// rollsBackOnPanic: a model that panics, which is a bug in it, neither commits
// half a batch nor holds a lock for ever.
func rollsBackOnPanic[Tx any](t T, db Database[Tx]) {
	store := db.Open(t)
	require.PanicsWithValue(t, "planted", func() {
		_ = store.Update(t.Context(), func(tx Tx) error {
			everything(t, db, store, tx)
			panic("planted") // what a model does with a bug in it; require catches it
		})
	})
	requireEverything(t, db, store, false)
}

func refusesCanceled[Tx any](t T, db Database[Tx]) {
	store := db.Open(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, store.Update(ctx, func(Tx) error { return nil }), context.Canceled)
	require.ErrorIs(t, store.View(ctx, func(Tx) error { return nil }), context.Canceled)
	requireEverything(t, db, store, false)
}

func viewReads[Tx any](t T, db Database[Tx]) {
	store := db.Open(t)
	err := store.View(t.Context(), func(tx Tx) error {
		_ = store.SaveCheckpoints(t.Context(), tx, consumer, checkpoint.Progress{Topic: "t", Next: 7})
		return nil
	})
	_ = err // the engine may refuse the write at once, at the end, or forget it
	requireEverything(t, db, store, false)
	require.Equal(t, errPlanted, store.View(t.Context(), func(Tx) error { return errPlanted }))
}
