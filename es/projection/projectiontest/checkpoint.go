package projectiontest

import (
	"sync/atomic"

	"github.com/stretchr/testify/require"

	"passbook/es/checkpoint"
	"passbook/es/projection"
)

func progress(partition int32, next int64) checkpoint.Progress {
	return checkpoint.Progress{
		History: "h", Topic: "t", Partition: partition, First: 3, Next: next, EventID: "id", Position: 1 << 40,
	}
}

func noCheckpoint[Tx any](t T, db Database[Tx]) {
	store := db.Open(t)
	update(t, store, func(tx Tx) error {
		got, err := store.LockCheckpoints(t.Context(), tx, consumer, 4)
		require.NoError(t, err)
		require.Equal(t, []checkpoint.Progress{{Partition: 4}}, got)
		return nil
	})
	view(t, store, func(tx Tx) error {
		all, err := store.Checkpoints(t.Context(), tx, consumer)
		require.NoError(t, err)
		require.Empty(t, all, "a lock alone leaves no progress")
		return nil
	})
}

func savesCheckpoint[Tx any](t T, db Database[Tx]) {
	store := db.Open(t)
	for _, next := range []int64{10, 1 << 40, 5} {
		for _, partition := range []int32{2, 0, 11} {
			update(t, store, func(tx Tx) error {
				_, err := store.LockCheckpoints(t.Context(), tx, consumer, partition)
				require.NoError(t, err)
				return store.SaveCheckpoints(t.Context(), tx, consumer, progress(partition, next))
			})
		}
	}
	update(t, store, func(tx Tx) error {
		got, err := store.LockCheckpoints(t.Context(), tx, consumer, 2)
		require.NoError(t, err)
		require.Equal(t, []checkpoint.Progress{progress(2, 5)}, got)
		return nil
	})
	view(t, store, func(tx Tx) error {
		all, err := store.Checkpoints(t.Context(), tx, consumer)
		require.NoError(t, err)
		require.Equal(t, []checkpoint.Progress{progress(0, 5), progress(2, 5), progress(11, 5)}, all)
		return nil
	})
}

func keepsConsumersApart[Tx any](t T, db Database[Tx]) {
	store := db.Open(t)
	update(t, store, func(tx Tx) error {
		ctx := t.Context()
		_, err := store.LockCheckpoints(ctx, tx, consumer, 0)
		require.NoError(t, err)
		require.NoError(t, store.SaveCheckpoints(ctx, tx, consumer, progress(0, 5)))
		require.NoError(t, store.Park(ctx, tx, consumer, projection.Parked{Stream: "a", Reason: projection.ReasonGap}))
		_, err = store.Enqueue(ctx, tx, consumer, NewHistory("h").Events("a", 1, 1))
		return err
	})
	update(t, store, func(tx Tx) error {
		ctx, other := t.Context(), "other"
		got, err := store.LockCheckpoints(ctx, tx, other, 0)
		require.NoError(t, err)
		require.Equal(t, []checkpoint.Progress{{}}, got)
		parked, _, err := store.LockParked(ctx, tx, other, []string{"a"})
		require.NoError(t, err)
		require.Empty(t, parked)
		queue, err := store.Queue(ctx, tx, other, "a", 10)
		require.NoError(t, err)
		require.Empty(t, queue)
		_, err = store.ParkedStream(ctx, tx, other, "a")
		require.ErrorIs(t, err, projection.ErrNotParked)
		require.NoError(t, store.Dequeue(ctx, tx, other, NewHistory("h").Events("a", 1, 1)))
		return store.Unpark(ctx, tx, other, "a")
	})
	view(t, store, func(tx Tx) error {
		parked, err := store.ParkedStream(t.Context(), tx, consumer, "a")
		require.NoError(t, err)
		require.Equal(t, int64(1), parked.Queued)
		return nil
	})
}

// locksMissingCheckpoint has two members begin a partition that nobody has
// read: one of them must see what the other saved.
func locksMissingCheckpoint[Tx any](t T, db Database[Tx]) {
	race(t, db, func(store projection.Store[Tx], tx Tx) error {
		got, err := store.LockCheckpoints(t.Context(), tx, consumer, 0)
		if err != nil {
			return err
		}
		got[0].Next++
		return store.SaveCheckpoints(t.Context(), tx, consumer, got...)
	})
	view(t, db.Open(t), func(tx Tx) error {
		all, err := db.Open(t).Checkpoints(t.Context(), tx, consumer)
		require.NoError(t, err)
		require.Equal(t, []checkpoint.Progress{{Next: racers * laps}}, all)
		return nil
	})
}

func savesSeveralCheckpoints[Tx any](t T, db Database[Tx]) {
	store := db.Open(t)
	update(t, store, func(tx Tx) error {
		_, err := store.LockCheckpoints(t.Context(), tx, consumer, 2)
		require.NoError(t, err)
		return store.SaveCheckpoints(t.Context(), tx, consumer, progress(2, 5))
	})
	update(t, store, func(tx Tx) error {
		got, err := store.LockCheckpoints(t.Context(), tx, consumer, 0, 2, 11)
		require.NoError(t, err)
		require.Equal(t, []checkpoint.Progress{{}, progress(2, 5), {Partition: 11}}, got)
		return store.SaveCheckpoints(t.Context(), tx, consumer, progress(0, 6), progress(2, 7), progress(11, 8))
	})
	update(t, store, func(tx Tx) error {
		got, err := store.LockCheckpoints(t.Context(), tx, consumer, 0, 2, 11)
		require.NoError(t, err)
		require.Equal(t, []checkpoint.Progress{progress(0, 6), progress(2, 7), progress(11, 8)}, got)
		return nil
	})
}

// locksSeveralCheckpoints has members lock sets of partitions that overlap, of
// which some are missing at first: what one of them saved, the others see.
func locksSeveralCheckpoints[Tx any](t T, db Database[Tx]) {
	var turn atomic.Int32
	race(t, db, func(store projection.Store[Tx], tx Tx) error {
		partitions := [][]int32{{0, 1, 2}, {1, 2}, {0, 2}}[turn.Add(1)%3]
		all, err := store.LockCheckpoints(t.Context(), tx, consumer, append(partitions, 3)...)
		if err != nil {
			return err
		}
		for i := range all {
			all[i].Next++
		}
		return store.SaveCheckpoints(t.Context(), tx, consumer, all...)
	})
	view(t, db.Open(t), func(tx Tx) error {
		all, err := db.Open(t).Checkpoints(t.Context(), tx, consumer)
		require.NoError(t, err)
		require.Len(t, all, 4)
		require.Equal(t, int64(racers*laps), all[3].Next)
		return nil
	})
}
