package projectiontest

import (
	"sync"

	"github.com/stretchr/testify/require"

	"passbook/es/checkpoint"
	"passbook/es/projection"
)

// racers members race for a number of laps each.
const (
	racers = 2
	laps   = 25
)

// race runs fn in transactions of several members at once. All of them begin
// each lap together, so that they meet. A transaction that an engine ends with
// an error, as a database may that finds a deadlock, is run again, as a batch
// is.
func race[Tx any](t T, db Database[Tx], fn func(store projection.Store[Tx], tx Tx) error) {
	t.Helper()
	var all sync.WaitGroup
	var arrived [laps]sync.WaitGroup
	for lap := range laps {
		arrived[lap].Add(racers)
	}
	errs := make([]error, racers)
	for i := range racers {
		store := db.Open(t)
		all.Go(func() {
			for lap := range laps {
				arrived[lap].Done()
				arrived[lap].Wait()
				for range 100 {
					errs[i] = store.Update(t.Context(), func(tx Tx) error { return fn(store, tx) })
					if errs[i] == nil {
						break
					}
				}
			}
		})
	}
	all.Wait()
	for _, err := range errs {
		require.NoError(t, err)
	}
}

// fencesWriters adds to a row that is read without a lock: only the lock of the
// checkpoint keeps two members from adding to the same old value.
func fencesWriters[Tx any](t T, db Database[Tx]) {
	race(t, db, func(store projection.Store[Tx], tx Tx) error {
		got, err := store.LockCheckpoints(t.Context(), tx, consumer, 3)
		if err != nil {
			return err
		}
		if err := extend(t, db, tx); err != nil {
			return err
		}
		got[0].Next++
		return store.SaveCheckpoints(t.Context(), tx, consumer, got...)
	})
	requireExtended(t, db)
	view(t, db.Open(t), func(tx Tx) error {
		all, err := db.Open(t).Checkpoints(t.Context(), tx, consumer)
		require.NoError(t, err)
		require.Equal(t, []checkpoint.Progress{{Partition: 3, Next: racers * laps}}, all)
		return nil
	})
}

// locksParked does the same under the lock of a parked stream, as a batch and a
// redrive do.
func locksParked[Tx any](t T, db Database[Tx]) {
	store := db.Open(t)
	update(t, store, func(tx Tx) error {
		for _, stream := range []string{"a", "b"} {
			err := store.Park(t.Context(), tx, consumer, projection.Parked{Stream: stream, Reason: projection.ReasonGap})
			require.NoError(t, err)
		}
		return nil
	})
	race(t, db, func(store projection.Store[Tx], tx Tx) error {
		parked, _, err := store.LockParked(t.Context(), tx, consumer, []string{"a", "b", "c"})
		if err != nil {
			return err
		}
		b := parked["b"]
		b.Version++
		if err := store.Park(t.Context(), tx, consumer, b); err != nil {
			return err
		}
		return extend(t, db, tx)
	})
	requireExtended(t, db)
	view(t, store, func(tx Tx) error {
		parked, err := store.ParkedStream(t.Context(), tx, consumer, "b")
		require.NoError(t, err)
		require.Equal(t, int64(racers*laps), parked.Version)
		return nil
	})
}

// extend makes the row "race" one longer.
func extend[Tx any](t T, db Database[Tx], tx Tx) error {
	old, err := db.Rows.Get(t.Context(), tx, "race")
	if err != nil {
		return err
	}
	swapped, err := db.Rows.Swap(t.Context(), tx, "race", old, old+"x")
	if err == nil && !swapped {
		err = errVersion
	}
	return err
}

func requireExtended[Tx any](t T, db Database[Tx]) {
	t.Helper()
	view(t, db.Open(t), func(tx Tx) error {
		row, err := db.Rows.Get(t.Context(), tx, "race")
		require.NoError(t, err)
		require.Len(t, row, racers*laps)
		return nil
	})
}
