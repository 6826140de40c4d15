package mysql_test

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"passbook/es/checkpoint"
	"passbook/es/projection"
	"passbook/internal/testenv"
)

// TestProjectionStore_SwapLosesItsTurn: the connection that keeps writers out is
// gone when the check is over. What was checked may not be true any more, and
// nothing is swapped.
func TestProjectionStore_SwapLosesItsTurn(t *testing.T) {
	t.Parallel()
	requireServer(t)
	ctx, store := t.Context(), openStore(t, testenv.MySQLDatabase(t))
	require.NoError(t, createRows(ctx, store.DB(), "suite_row"))
	first, _, err := lineOf(ctx, store)
	require.NoError(t, err)
	require.NoError(t, begin(ctx, store, "one"))
	written := make(chan error, 1)
	err = store.Swap(ctx, "one", suiteTables, func(ctx context.Context, tx *sql.Tx) error {
		go func() { // waits for the gate
			written <- store.Update(t.Context(), func(tx *sql.Tx) error {
				return store.SaveCheckpoints(t.Context(), tx, "c", checkpoint.Progress{Topic: "written"})
			})
		}()
		var id int64
		if err := tx.QueryRowContext(ctx,
			`SELECT IS_USED_LOCK(CONCAT('passbook.tables.', LEFT(SHA2(DATABASE(), 256), 32)))`).Scan(&id); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, fmt.Sprint(`KILL CONNECTION `, id)); err != nil {
			return err
		}
		return <-written // it got through
	})
	require.Error(t, err)
	live, next, err := lineOf(ctx, store)
	require.NoError(t, err)
	require.Equal(t, []string{first, "one"}, []string{live, next})
	require.NoError(t, store.Swap(ctx, "one", suiteTables, nothing))
	live, _, err = lineOf(ctx, store)
	require.NoError(t, err)
	require.Equal(t, "one", live)
}

// TestProjectionStore_SwapWaitsForWriters: what a transaction writes that was
// begun before a swap is in the line when it is checked.
func TestProjectionStore_SwapWaitsForWriters(t *testing.T) {
	t.Parallel()
	requireServer(t)
	ctx, store := t.Context(), openStore(t, testenv.MySQLDatabase(t))
	require.NoError(t, createRows(ctx, store.DB(), "suite_row"))
	require.NoError(t, begin(ctx, store, "one"))
	swapped := make(chan error, 1)
	var checked []checkpoint.Progress
	require.NoError(t, store.Update(ctx, func(tx *sql.Tx) error {
		go func() {
			swapped <- store.Swap(ctx, "one", suiteTables, func(ctx context.Context, tx *sql.Tx) (err error) {
				checked, err = store.Checkpoints(ctx, tx, "c")
				return err
			})
		}()
		require.Eventually(t, func() bool { return isWaiting(t, store.DB()) }, waitMax, poll)
		return store.SaveCheckpoints(ctx, tx, "c", checkpoint.Progress{Topic: "written"})
	}))
	require.NoError(t, <-swapped)
	require.Equal(t, []checkpoint.Progress{{Topic: "written"}}, checked)
}

// isWaiting tells whether somebody waits for a table of this database.
func isWaiting(t *testing.T, db *sql.DB) bool {
	var waiting bool
	require.NoError(t, db.QueryRowContext(t.Context(), `SELECT EXISTS (SELECT 1 FROM information_schema.processlist
		WHERE db = DATABASE() AND state LIKE 'Waiting for table%')`).Scan(&waiting))
	return waiting
}

// TestProjectionStore_LocksInOrder has members lock streams that overlap, in
// ascending order: they wait for each other, and never in a circle.
func TestProjectionStore_LocksInOrder(t *testing.T) {
	t.Parallel()
	requireServer(t)
	ctx, store := t.Context(), openStore(t, testenv.MySQLDatabase(t))
	var streams []string
	require.NoError(t, store.Update(ctx, func(tx *sql.Tx) error {
		for i := range 40 {
			streams = append(streams, fmt.Sprintf("s%02d", i))
			if i%3 != 0 { // the others are not parked
				require.NoError(t, store.Park(ctx, tx, "c", projection.Parked{Stream: streams[i], Reason: projection.ReasonGap}))
			}
		}
		return nil
	}))
	const members, laps = 4, 30
	errs := make([]error, members)
	var all sync.WaitGroup
	for m := range members {
		all.Go(func() {
			for range laps {
				some := slices.DeleteFunc(slices.Clone(streams), func(string) bool { return rand.IntN(3) == 0 })
				err := store.Update(ctx, func(tx *sql.Tx) error {
					parked, _, err := store.LockParked(ctx, tx, "c", some)
					if err != nil {
						return err
					}
					for _, stream := range some {
						p, ok := parked[stream]
						if !ok {
							continue
						}
						p.Version++
						if err := store.Park(ctx, tx, "c", p); err != nil {
							return err
						}
					}
					return nil
				})
				if err != nil {
					errs[m] = err
				}
			}
		})
	}
	all.Wait()
	for _, err := range errs {
		require.NoError(t, err)
	}
}
