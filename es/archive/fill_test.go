package archive_test

import (
	"iter"
	"testing"

	"github.com/stretchr/testify/require"

	"passbook/engine/memory"
	"passbook/es/archive"
	"passbook/es/eventstore"
)

// entries yields so many events of a stream each.
func entries(n int64) iter.Seq2[archive.Entry, error] {
	return func(yield func(archive.Entry, error) bool) {
		for i := range n {
			e := happened("s", i)
			e.Position = i + 1
			if !yield(archive.Entry{Event: e}, nil) {
				return
			}
		}
	}
}

// An origin that is not as long as it says never becomes a store that is served.
func TestFill_Short(t *testing.T) {
	t.Parallel()
	for _, n := range []int64{0, 4, 6} {
		store := memory.NewEventStore()
		_, err := archive.Fill(t.Context(), store, archive.Origin{Name: "o", Head: 5, Entries: entries(n)}, archive.ImportConfig{BatchEvents: 2})
		require.ErrorContains(t, err, "do not fit")
		_, err = store.History(t.Context())
		require.ErrorIs(t, err, eventstore.ErrNoHistory)
	}
	store := memory.NewEventStore()
	filled, err := archive.Fill(t.Context(), store, archive.Origin{Name: "o", Head: 5, Entries: entries(5)}, archive.ImportConfig{})
	require.NoError(t, err)
	history, err := store.History(t.Context())
	require.NoError(t, err)
	require.Equal(t, filled.NewHistory, history)
	require.ErrorIs(t, archive.Vacant(t.Context(), store), eventstore.ErrNotEmpty)
}
