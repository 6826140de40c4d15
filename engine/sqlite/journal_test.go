package sqlite_test

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"passbook/engine/sqlite"
	"passbook/es/event"
	"passbook/es/projection"
)

// A model that is a function, behind a journal, applies each event once, in
// order, and parks what comes too early.
func TestJournal(t *testing.T) {
	store, err := sqlite.OpenProjectionStore(t.Context(), filepath.Join(t.TempDir(), "model.db"), sqlite.Rebuildable)
	require.NoError(t, err)
	defer func() { require.NoError(t, store.Close()) }()
	_, err = store.DB().Exec(`CREATE TABLE seen (line TEXT)`)
	require.NoError(t, err)
	journal, err := store.Journal(t.Context(), "lines")
	require.NoError(t, err)
	other, err := store.Journal(t.Context(), "other")
	require.NoError(t, err, "the table is there already")
	model := projection.Each(journal, func(ctx context.Context, tx *sql.Tx, e event.Envelope) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO seen VALUES (?)`, fmt.Sprint(e.Stream, e.Version, e.ID))
		return err
	})
	at := func(stream string, version int64) event.Envelope {
		return event.Envelope{ID: fmt.Sprint(stream, "-", version), Stream: stream, Version: version}
	}
	apply := func(events ...event.Envelope) error {
		return store.Update(t.Context(), func(tx *sql.Tx) error { return model.Apply(t.Context(), tx, events) })
	}
	require.NoError(t, apply(at("a", 0), at("b", 0), at("a", 1)))
	require.NoError(t, apply(at("a", 2)))
	require.Error(t, apply(at("b", 1), at("a", 2)), "applied twice")

	require.NoError(t, store.View(t.Context(), func(tx *sql.Tx) error {
		heads, err := model.Heads(t.Context(), tx, []string{"a", "b", "c"})
		require.NoError(t, err)
		require.Equal(t, map[string]projection.Head{"a": {Version: 2, EventID: "a-2"}, "b": {Version: 0, EventID: "b-0"}}, heads)
		ids, err := model.EventIDs(t.Context(), tx, []projection.Ref{{Stream: "a", Version: 1}, {Stream: "a", Version: 3}, {Stream: "b", Version: 0}})
		require.NoError(t, err)
		require.Equal(t, map[projection.Ref]string{{Stream: "a", Version: 1}: "a-1", {Stream: "b", Version: 0}: "b-0"}, ids)
		heads, err = other.Heads(t.Context(), tx, []string{"a"})
		require.NoError(t, err)
		require.Empty(t, heads, "journals of two consumers are two")
		var lines int
		require.NoError(t, tx.QueryRow(`SELECT count(*) FROM seen`).Scan(&lines))
		require.Equal(t, 4, lines, "a batch that failed left something")
		return nil
	}))
}

// What was parked or discarded is set aside, by position; forgetting a consumer
// leaves what was discarded, and other consumers.
func TestProjectionStore_SetAsideAndForget(t *testing.T) {
	ctx := t.Context()
	store, err := sqlite.OpenProjectionStore(ctx, filepath.Join(t.TempDir(), "model.db"), sqlite.Rebuildable)
	require.NoError(t, err)
	defer func() { require.NoError(t, store.Close()) }()
	update := func(fn func(tx *sql.Tx) error) {
		t.Helper()
		require.NoError(t, store.Update(ctx, fn))
	}
	kind := event.Type{Name: "x", Schema: 1}
	for _, consumer := range []string{"one", "two"} {
		update(func(tx *sql.Tx) error {
			progress, err := store.LockCheckpoints(ctx, tx, consumer, 0)
			require.NoError(t, err)
			progress[0].Next = 7
			require.NoError(t, store.SaveCheckpoints(ctx, tx, consumer, progress...))
			require.NoError(t, store.Park(ctx, tx, consumer, projection.Parked{Stream: "s", Reason: projection.ReasonUnapplicable, Version: 1, EventID: "s-1"}))
			_, err = store.Enqueue(ctx, tx, consumer, []event.Envelope{
				{ID: "s-1", Stream: "s", Version: 1, Position: 5, Type: kind},
				{ID: "s-2", Stream: "s", Version: 2, Position: 9, Type: kind},
			})
			require.NoError(t, err)
			discarded := projection.Discarded{Stream: "s", Version: 1, EventID: "s-1", Reason: "wrong"}
			require.NoError(t, store.Discard(ctx, tx, consumer, discarded))
			return store.Dequeue(ctx, tx, consumer, []event.Envelope{{ID: "s-1", Stream: "s", Version: 1}})
		})
	}
	setAside := func(consumer string, after int64, limit int) []int64 {
		positions, err := store.SetAside(ctx, consumer, after, limit)
		require.NoError(t, err)
		return positions
	}
	require.Equal(t, []int64{5, 9}, setAside("one", 0, 10))
	require.Equal(t, []int64{5}, setAside("one", 0, 1))
	require.Equal(t, []int64{9}, setAside("one", 5, 10))
	require.Empty(t, setAside("one", 9, 10))

	update(func(tx *sql.Tx) error { return store.Forget(ctx, tx, "one") })
	require.Equal(t, []int64{5}, setAside("one", 0, 10), "the discarded one")
	require.Equal(t, []int64{5, 9}, setAside("two", 0, 10))
	require.NoError(t, store.View(ctx, func(tx *sql.Tx) error {
		for consumer, want := range map[string]int{"one": 0, "two": 1} {
			checkpoints, err := store.Checkpoints(ctx, tx, consumer)
			require.NoError(t, err)
			require.Len(t, checkpoints, want)
			parked, err := store.ParkedStreams(ctx, tx, consumer, "", 10)
			require.NoError(t, err)
			require.Len(t, parked, want)
		}
		return nil
	}))
}
