package projectiontest

import (
	"fmt"
	"time"

	"github.com/stretchr/testify/require"

	"passbook/es/projection"
)

func discarded(stream string, version int64, id string) projection.Discarded {
	return projection.Discarded{
		Stream: stream, Version: version, EventID: id, Reason: "sent twice — by hand", By: "ops",
	}
}

// plain takes away what the engine's clock says.
func plain(all []projection.Discarded) (without []projection.Discarded) {
	for _, d := range all {
		d.At = time.Time{}
		without = append(without, d)
	}
	return without
}

// remembersDiscarded: once, as it was given first, in order, for one consumer.
func remembersDiscarded[Tx any](t T, db Database[Tx]) {
	store, ctx := db.Open(t), t.Context()
	want := []projection.Discarded{discarded("a", 2, "x"), discarded("a", 2, "y"), discarded("a", 1<<40, "b")}
	update(t, store, func(tx Tx) error {
		for _, i := range []int{2, 0, 1, 0} {
			require.NoError(t, store.Discard(ctx, tx, consumer, want[i]))
		}
		require.NoError(t, store.Discard(ctx, tx, consumer, discarded("A", 2, "x")))
		again := want[0]
		again.Reason, again.By = "another", ""
		return store.Discard(ctx, tx, consumer, again)
	})
	for range 2 {
		update(t, store, func(tx Tx) error {
			require.NoError(t, store.Park(ctx, tx, consumer, projection.Parked{Stream: "b", Reason: projection.ReasonGap}))
			got, err := store.Discarded(ctx, tx, consumer, "a")
			require.NoError(t, err)
			require.Equal(t, want, plain(got))
			for _, d := range got {
				require.Equal(t, time.UTC, d.At.Location())
				require.WithinDuration(t, time.Now(), d.At, time.Hour)
			}
			parked, locked, err := store.LockParked(ctx, tx, consumer, []string{"a", "b", "c"})
			require.NoError(t, err)
			require.Len(t, parked, 1)
			require.Equal(t, got, locked, "of a stream that is not parked too")
			_, locked, err = store.LockParked(ctx, tx, consumer, []string{"b", "c"})
			require.NoError(t, err)
			require.Empty(t, locked)
			return nil
		})
	}
	update(t, store, func(tx Tx) error {
		// One that has discarded something itself, so that there is a reason to look.
		require.NoError(t, store.Discard(ctx, tx, "other", discarded("z", 1, "x")))
		got, err := store.Discarded(ctx, tx, "other", "a")
		require.NoError(t, err)
		require.Empty(t, got)
		_, got, err = store.LockParked(ctx, tx, "other", []string{"a"})
		require.NoError(t, err)
		require.Empty(t, got)
		got, err = store.Discards(ctx, tx, "other", projection.Discarded{}, 10)
		require.NoError(t, err)
		require.Equal(t, []projection.Discarded{discarded("z", 1, "x")}, plain(got))
		return nil
	})
}

func pagesDiscarded[Tx any](t T, db Database[Tx]) {
	store, ctx := db.Open(t), t.Context()
	var want []projection.Discarded
	for _, stream := range []string{"", " a", "A", "a", "a'b", "ä"} {
		for _, version := range []int64{0, 1, 10} {
			for n := range 2 {
				want = append(want, discarded(stream, version, fmt.Sprint("id", n)))
			}
		}
	}
	update(t, store, func(tx Tx) error {
		for i := range want {
			require.NoError(t, store.Discard(ctx, tx, consumer, want[len(want)-1-i]))
		}
		return nil
	})
	view(t, store, func(tx Tx) error {
		var got []projection.Discarded
		for after := (projection.Discarded{}); ; {
			page, err := store.Discards(ctx, tx, consumer, after, 5)
			require.NoError(t, err)
			require.LessOrEqual(t, len(page), 5)
			if len(page) == 0 {
				require.Equal(t, want, plain(got))
				return nil
			}
			got = append(got, page...)
			last := page[len(page)-1]
			after = projection.Discarded{Stream: last.Stream, Version: last.Version, EventID: last.EventID}
		}
	})
}
