package projectiontest

import (
	"fmt"
	"time"

	"github.com/stretchr/testify/require"

	"passbook/es/event"
	"passbook/es/projection"
)

func parksStreams[Tx any](t T, db Database[Tx]) {
	store, ctx := db.Open(t), t.Context()
	first := projection.Parked{
		Stream: "a", Reason: projection.ReasonUnapplicable, Version: 1 << 40, EventID: "id", Error: "a line — for people",
	}
	var since time.Time
	update(t, store, func(tx Tx) error {
		require.NoError(t, store.Park(ctx, tx, consumer, first))
		found, _, err := store.LockParked(ctx, tx, consumer, []string{"a", "b"})
		require.NoError(t, err)
		require.Len(t, found, 1)
		since = found["a"].Since
		require.Equal(t, time.UTC, since.Location())
		require.WithinDuration(t, time.Now(), since, time.Hour)
		requireSameParked(t, first, found["a"])
		return nil
	})
	second := projection.Parked{Stream: "a", Reason: projection.ReasonDraining, Version: 3, Error: "x"}
	update(t, store, func(tx Tx) error { return store.Park(ctx, tx, consumer, second) })
	view(t, store, func(tx Tx) error {
		got, err := store.ParkedStream(ctx, tx, consumer, "a")
		require.NoError(t, err)
		requireSameParked(t, second, got)
		require.Equal(t, since, got.Since, "the time of the first parking stays")
		_, err = store.ParkedStream(ctx, tx, consumer, "b")
		require.ErrorIs(t, err, projection.ErrNotParked)
		return nil
	})
	update(t, store, func(tx Tx) error {
		require.NoError(t, store.Unpark(ctx, tx, consumer, "a"))
		found, _, err := store.LockParked(ctx, tx, consumer, []string{"a"})
		require.NoError(t, err)
		require.Empty(t, found)
		found, _, err = store.LockParked(ctx, tx, consumer, nil)
		require.NoError(t, err)
		require.Empty(t, found)
		return nil
	})
}

func requireSameParked(t T, want, got projection.Parked) {
	t.Helper()
	want.Since, got.Since = time.Time{}, time.Time{}
	require.Equal(t, want, got)
}

func pagesParked[Tx any](t T, db Database[Tx]) {
	store, ctx := db.Open(t), t.Context()
	history := NewHistory("h")
	var want []string
	update(t, store, func(tx Tx) error {
		for i := range int64(7) {
			stream := fmt.Sprintf("s%d", i)
			want = append(want, stream)
			err := store.Park(ctx, tx, consumer, projection.Parked{Stream: stream, Reason: projection.ReasonGap})
			require.NoError(t, err)
			_, err = store.Enqueue(ctx, tx, consumer, history.Events(stream, 1, i))
			require.NoError(t, err)
		}
		return nil
	})
	var got []string
	view(t, store, func(tx Tx) error {
		for after := ""; ; {
			page, err := store.ParkedStreams(ctx, tx, consumer, after, 3)
			require.NoError(t, err)
			require.LessOrEqual(t, len(page), 3)
			if len(page) == 0 {
				return nil
			}
			for _, parked := range page {
				require.Equal(t, int64(len(got)), parked.Queued)
				got = append(got, parked.Stream)
			}
			after = got[len(got)-1]
		}
	})
	require.Equal(t, want, got)
	view(t, store, func(tx Tx) error {
		count, err := store.CountParked(ctx, tx, consumer)
		require.NoError(t, err)
		require.Equal(t, int64(len(want)), count)
		count, err = store.CountParked(ctx, tx, "other")
		require.NoError(t, err)
		require.Zero(t, count)
		return nil
	})
}

// parksAnyName: names that differ are different streams, in the order of their
// bytes, whatever the collation of the database says.
func parksAnyName[Tx any](t T, db Database[Tx]) {
	store, ctx := db.Open(t), t.Context()
	names := []string{" a", "A", "a", "a ", "a'b", "ab", "ä", "日本"}
	update(t, store, func(tx Tx) error {
		for _, name := range names {
			err := store.Park(ctx, tx, consumer, projection.Parked{Stream: name, Reason: projection.ReasonGap})
			require.NoError(t, err)
		}
		found, _, err := store.LockParked(ctx, tx, consumer, names)
		require.NoError(t, err)
		require.Len(t, found, len(names))
		page, err := store.ParkedStreams(ctx, tx, consumer, "", 100)
		require.NoError(t, err)
		var got []string
		for _, parked := range page {
			got = append(got, parked.Stream)
		}
		require.Equal(t, names, got)
		return store.Unpark(ctx, tx, consumer, "a")
	})
	view(t, store, func(tx Tx) error {
		page, err := store.ParkedStreams(ctx, tx, consumer, "", 100)
		require.NoError(t, err)
		require.Len(t, page, len(names)-1)
		return nil
	})
}

// enqueue puts events in the queues and returns how many were new.
func enqueue[Tx any](t T, store projection.Store[Tx], events ...event.Envelope) (added int) {
	t.Helper()
	update(t, store, func(tx Tx) (err error) {
		added, err = store.Enqueue(t.Context(), tx, consumer, events)
		return err
	})
	return added
}

func queue[Tx any](t T, store projection.Store[Tx], stream string, limit int) (events []event.Envelope) {
	t.Helper()
	view(t, store, func(tx Tx) (err error) {
		events, err = store.Queue(t.Context(), tx, consumer, stream, limit)
		return err
	})
	return events
}

func ordersQueue[Tx any](t T, db Database[Tx]) {
	store, h := db.Open(t), NewHistory("h")
	// Positions and ids tell against the order in which the two fives arrive.
	late, early := h.Event("a", 5), h.Other("a", 5)
	require.Equal(t, 2, enqueue(t, store, h.Event("a", 11), early))
	require.Equal(t, 4, enqueue(t, store, late, h.Event("b", 0), h.Event("a", 2), h.Event("a", 100)))
	want := []event.Envelope{h.Event("a", 2), early, late, h.Event("a", 11), h.Event("a", 100)}
	require.Equal(t, ids(want), ids(queue(t, store, "a", 100)))
	require.Equal(t, ids(want[:3]), ids(queue(t, store, "a", 3)))
	require.Equal(t, []string{"b-0"}, ids(queue(t, store, "b", 3)))
	require.Empty(t, queue(t, store, "c", 3))
}

func queuesOnce[Tx any](t T, db Database[Tx]) {
	store, h := db.Open(t), NewHistory("h")
	require.Equal(t, 3, enqueue(t, store, h.Events("a", 1, 3)...))
	changed := h.Event("a", 2)
	changed.Data = []byte("changed")
	require.Equal(t, 1, enqueue(t, store, changed, h.Event("a", 4), h.Event("a", 4)))
	require.Equal(t, h.Events("a", 1, 4), queue(t, store, "a", 100))
}

func keepsEventsWhole[Tx any](t T, db Database[Tx]) {
	store := db.Open(t)
	e := event.Envelope{
		ID: "id", Stream: "a", Version: 1 << 40, Position: 1 << 50,
		Type: event.Type{Name: "some.thing.happened", Schema: 12},
		Time: time.Date(2026, 3, 29, 2, 30, 0, 123456000, time.UTC),
		Data: []byte("{\"a\": 1.0,\r\n \"b\":\"\xff\x00\"}"),
		Metadata: event.Metadata{
			CorrelationID: "c", CausationID: "d", TraceParent: "00-ä-01", Imported: true,
		},
	}
	bare := event.Envelope{
		ID: "other", Stream: "a", Version: 1<<40 + 1, Type: event.Type{Name: "x", Schema: 1},
		Time: time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC),
	}
	enqueue(t, store, e, bare)
	got := queue(t, store, "a", 10)
	require.Len(t, got, 2)
	require.Equal(t, e, got[0])
	require.Empty(t, got[1].Data)
	got[1].Data = nil
	require.Equal(t, bare, got[1])
}

func dequeues[Tx any](t T, db Database[Tx]) {
	store, h := db.Open(t), NewHistory("h")
	enqueue(t, store, h.Events("a", 1, 4)...)
	enqueue(t, store, h.Other("a", 2), h.Event("b", 2))
	update(t, store, func(tx Tx) error {
		gone := []event.Envelope{h.Event("a", 1), h.Event("a", 2), h.Event("a", 9), h.Event("c", 1)}
		return store.Dequeue(t.Context(), tx, consumer, gone)
	})
	require.Equal(t, ids([]event.Envelope{h.Other("a", 2), h.Event("a", 3), h.Event("a", 4)}), ids(queue(t, store, "a", 100)))
	require.Len(t, queue(t, store, "b", 100), 1)
}
