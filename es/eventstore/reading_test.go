package eventstore_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"passbook/es/event"
	"passbook/es/eventstore"
)

// unread breaks the reading methods of an engine.
type unread struct {
	*engine
	err  error                       // every read fails
	skip func(e event.Envelope) bool // what is not handed out
}

func (u *unread) ReadAll(ctx context.Context, after int64, limit int) ([]event.Envelope, error) {
	all, err := u.EventStore.ReadAll(ctx, after, 1<<30)
	return u.page(all, limit), errors.Join(err, u.err)
}

func (u *unread) ReadStream(ctx context.Context, stream string, from int64, limit int) ([]event.Envelope, error) {
	all, err := u.EventStore.ReadStream(ctx, stream, from, 1<<30)
	return u.page(all, limit), errors.Join(err, u.err)
}

// page is what a database answers that does not have an event any more.
func (u *unread) page(all []event.Envelope, limit int) []event.Envelope {
	if u.skip != nil {
		all = slices.DeleteFunc(all, u.skip)
	}
	return all[:min(limit, len(all))]
}

func (u *unread) History(context.Context) (string, error)              { return "history", u.err }
func (u *unread) StreamVersion(context.Context, string) (int64, error) { return 7, u.err }
func (u *unread) FindKey(context.Context, event.Key) (eventstore.KeyRecord, error) {
	return eventstore.KeyRecord{}, u.err
}

func (u *unread) SaveSnapshot(context.Context, eventstore.Snapshot) error { return u.err }

func (u *unread) LoadSnapshot(context.Context, string) (eventstore.Snapshot, error) {
	return eventstore.Snapshot{}, u.err
}

// filled returns a store of 2500 events: more than two pages.
func filled(t *testing.T) (*unread, *eventstore.Store) {
	t.Helper()
	e := newEngine(t)
	e.elsewhere(opening("a", 2400), opening("b", 100))
	u := &unread{engine: e}
	store, err := eventstore.New(t.Context(), u, eventstore.Config{})
	require.NoError(t, err)
	return u, store
}

// walk counts what an iterator yields, with no error but at its end.
func walk(t *testing.T, all func(yield func(event.Envelope, error) bool), number func(event.Envelope) int64) (count, first int64, err error) {
	t.Helper()
	for e, failed := range all {
		require.NoError(t, err, "it goes on behind an error")
		if err = failed; err != nil {
			continue
		}
		if count++; count == 1 {
			first = number(e)
		}
		require.Equal(t, first+count-1, number(e))
	}
	return count, first, err
}

func position(e event.Envelope) int64 { return e.Position }
func version(e event.Envelope) int64  { return e.Version }

func TestReadAll(t *testing.T) {
	t.Parallel()
	_, store := filled(t)
	for _, test := range []struct{ after, count, first int64 }{
		{0, 2500, 1}, {-5, 2500, 1}, {500, 2000, 501}, {1499, 1001, 1500}, {2499, 1, 2500}, {2500, 0, 0}, {9999, 0, 0},
	} {
		count, first, err := walk(t, store.ReadAll(t.Context(), test.after), position)
		require.NoError(t, err)
		require.Equal(t, []int64{test.count, test.first}, []int64{count, first}, "after %d", test.after)
	}
	for range store.ReadAll(t.Context(), 0) {
		break // who has enough may leave
	}
}

func TestReadStream(t *testing.T) {
	t.Parallel()
	_, store := filled(t)
	for _, test := range []struct{ from, count, first int64 }{
		{0, 2400, 0}, {-1, 2400, 0}, {1400, 1000, 1400}, {2399, 1, 2399}, {2400, 0, 0},
	} {
		count, first, err := walk(t, store.ReadStream(t.Context(), "a", test.from), version)
		require.NoError(t, err)
		require.Equal(t, []int64{test.count, test.first}, []int64{count, first}, "from %d", test.from)
	}
	count, _, err := walk(t, store.ReadStream(t.Context(), "unknown", 0), version)
	require.NoError(t, err)
	require.Zero(t, count)
}

// TestReadMissing: behind a gap nothing is handed out, neither in the middle of
// a page nor at its seam.
func TestReadMissing(t *testing.T) {
	t.Parallel()
	for _, missing := range []int64{1, 2, 700, 1000, 1001, 2399} {
		u, store := filled(t)
		u.skip = func(e event.Envelope) bool { return e.Position == missing }
		count, _, err := walk(t, store.ReadAll(t.Context(), 0), position)
		require.ErrorIs(t, err, eventstore.ErrMissing, "position %d", missing)
		require.Equal(t, missing-1, count)
		count, _, err = walk(t, store.ReadStream(t.Context(), "a", 0), version)
		require.ErrorIs(t, err, eventstore.ErrMissing)
		require.ErrorContains(t, err, "stream a")
		require.Equal(t, missing-1, count)
	}
}

func TestReadErrors(t *testing.T) {
	t.Parallel()
	u, store := filled(t)
	require.Equal(t, "history", store.History())
	require.False(t, store.SharedWriters())
	seven, err := store.StreamVersion(t.Context(), "a")
	require.NoError(t, err)
	require.Equal(t, int64(7), seven)
	require.NoError(t, store.SaveSnapshot(t.Context(), eventstore.Snapshot{Stream: "a"}))

	u.err = errLost
	u.onHead = func(context.Context) (int64, error) { return 0, errLost }
	_, _, err = walk(t, store.ReadAll(t.Context(), 6), position)
	require.ErrorIs(t, err, errLost)
	require.ErrorContains(t, err, "position 7")
	_, _, err = walk(t, store.ReadStream(t.Context(), "a", 8), version)
	require.ErrorIs(t, err, errLost)
	require.ErrorContains(t, err, "stream a: read version 8")
	_, err = store.StreamVersion(t.Context(), "a")
	require.ErrorIs(t, err, errLost)
	_, err = store.Head(t.Context())
	require.ErrorIs(t, err, errLost)
	_, err = store.FindKey(t.Context(), event.Key{Value: "k"})
	require.ErrorIs(t, err, errLost)
	require.ErrorIs(t, store.SaveSnapshot(t.Context(), eventstore.Snapshot{Stream: "a"}), errLost)
	_, err = store.LoadSnapshot(t.Context(), "a")
	require.ErrorIs(t, err, errLost)

	u.err = eventstore.ErrKeyNotFound
	_, err = store.FindKey(t.Context(), event.Key{Value: "k"})
	require.ErrorIs(t, err, eventstore.ErrKeyNotFound)
	u.err = eventstore.ErrNoSnapshot
	_, err = store.LoadSnapshot(t.Context(), "a")
	require.ErrorIs(t, err, eventstore.ErrNoSnapshot)
}

func TestNew_EngineAway(t *testing.T) {
	t.Parallel()
	u := &unread{engine: newEngine(t), err: errLost}
	_, err := eventstore.New(t.Context(), u, eventstore.Config{})
	require.ErrorIs(t, err, errLost)
	u.err = nil
	u.onHead = func(context.Context) (int64, error) { return 0, errLost }
	_, err = eventstore.New(t.Context(), u, eventstore.Config{})
	require.ErrorIs(t, err, errLost)
}

// awaiting calls Await beside the test.
func awaiting(ctx context.Context, store *eventstore.Store, after int64) <-chan error {
	answer := make(chan error, 1)
	go func() { answer <- store.Await(ctx, after) }()
	return answer
}

func TestAwait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEngine(t)
		e.elsewhere(opening("before", 2))
		store := start(t, e, eventstore.Config{})
		require.NoError(t, store.Await(t.Context(), 1), "it is there already")
		next, later := awaiting(t.Context(), store, 2), awaiting(t.Context(), store, 4)
		ctx, cancel := context.WithCancel(t.Context())
		given := awaiting(ctx, store, 2000)
		elapse(time.Hour)
		require.Empty(t, next)
		_, err := store.Append(t.Context(), opening("a", 2))
		require.NoError(t, err)
		require.NoError(t, <-next)
		synctest.Wait()
		require.Empty(t, later)
		_, err = store.Append(t.Context(), opening("b", 1))
		require.NoError(t, err)
		require.NoError(t, <-later)
		cancel()
		require.ErrorIs(t, <-given, context.Canceled)
	})
}

// TestAwait_SharedWriters: what other processes write is found by asking.
func TestAwait_SharedWriters(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEngine(t)
		e.features.SharedWriters = true
		store := start(t, e, eventstore.Config{PollInterval: 10 * time.Second})
		require.True(t, store.SharedWriters())
		theirs := awaiting(t.Context(), store, 0)
		elapse(time.Second)
		e.elsewhere(opening("a", 1))
		began := time.Now()
		require.NoError(t, <-theirs)
		require.Equal(t, 9*time.Second, time.Since(began))

		ours := awaiting(t.Context(), store, 1) // is not waited for
		synctest.Wait()
		began = time.Now()
		_, err := store.Append(t.Context(), opening("b", 1))
		require.NoError(t, err)
		require.NoError(t, <-ours)
		require.Zero(t, time.Since(began))

		ctx, cancel := context.WithCancel(t.Context())
		given := awaiting(ctx, store, 99)
		synctest.Wait()
		cancel()
		require.ErrorIs(t, <-given, context.Canceled)
		e.onHead = func(context.Context) (int64, error) { return 0, errLost }
		require.ErrorIs(t, store.Await(t.Context(), 99), errLost)
	})
}

// A page of the store may be full before it holds as many events as were asked
// for: that is not the end.
func TestStore_ReadAll_LargeEvents(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	c := opening("a", 7)
	for i := range c.Events {
		c.Events[i].Data = make([]byte, eventstore.PageBytes/3)
	}
	e.elsewhere(c)
	store, err := eventstore.New(t.Context(), e, eventstore.Config{})
	require.NoError(t, err)
	next := int64(1)
	for stored, err := range store.ReadAll(t.Context(), 0) {
		require.NoError(t, err)
		require.Equal(t, next, stored.Position)
		next++
	}
	require.Equal(t, int64(8), next)
}
