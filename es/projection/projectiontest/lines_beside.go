package projectiontest

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/stretchr/testify/require"

	"passbook/es/checkpoint"
	"passbook/es/event"
	"passbook/es/projection"
)

// mark writes the id of a line to each of its tables, so that a reader can tell
// which one it sees.
func (db LinesDatabase[Tx]) mark(t T, store projection.Store[Tx], table, id string) {
	t.Helper()
	update(t, store, func(tx Tx) error {
		ctx := t.Context()
		_, err := store.LockCheckpoints(ctx, tx, consumer, 0)
		require.NoError(t, err)
		require.NoError(t, store.SaveCheckpoints(ctx, tx, consumer, checkpoint.Progress{Topic: id}))
		require.NoError(t, store.Park(ctx, tx, consumer, projection.Parked{Stream: "s", Reason: projection.ReasonGap, Error: id}))
		e := NewHistory("h").Event("s", 1)
		e.ID = id
		_, err = store.Enqueue(ctx, tx, consumer, []event.Envelope{e})
		require.NoError(t, err)
		swapped, err := db.Rows(table).Swap(ctx, tx, "mark", "", id)
		require.True(t, swapped)
		return err
	})
}

// marks reads what mark wrote, and the line's id.
func (db LinesDatabase[Tx]) marks(ctx context.Context, lines projection.Lines[Tx], tx Tx) (seen [5]string, err error) {
	row, err := db.Rows(db.Table).Get(ctx, tx, "mark")
	if err != nil {
		return seen, err
	}
	checkpoints, err := lines.Checkpoints(ctx, tx, consumer)
	if err != nil || len(checkpoints) != 1 {
		return seen, errors.Join(err, fmt.Errorf("%d checkpoints", len(checkpoints)))
	}
	parked, err := lines.ParkedStream(ctx, tx, consumer, "s")
	if err != nil {
		return seen, err
	}
	queue, err := lines.Queue(ctx, tx, consumer, "s", 10)
	if err != nil || len(queue) != 1 {
		return seen, errors.Join(err, fmt.Errorf("%d events are queued", len(queue)))
	}
	live, _, err := lines.Line(ctx, tx)
	return [5]string{live, row, checkpoints[0].Topic, parked.Error, queue[0].ID}, err
}

func same(id string) [5]string { return [5]string{id, id, id, id, id} }

// readsOneLine has readers at work while lines are swapped: each transaction
// sees one line whole.
func readsOneLine[Tx any](t T, db LinesDatabase[Tx]) {
	lines := db.Open(t)
	db.mark(t, lines.Next(), db.begin(t, lines, "line 0"), "line 0")
	db.swap(t, lines, "line 0")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var readers sync.WaitGroup
	var looks atomic.Int64
	errs := make([]error, 2)
	for i := range errs {
		store := db.Open(t)
		readers.Go(func() {
			for ctx.Err() == nil {
				err := store.View(t.Context(), func(tx Tx) error {
					seen, err := db.marks(t.Context(), store, tx)
					if err == nil && seen != same(seen[0]) {
						err = fmt.Errorf("parts of several lines are seen: %q", seen)
					}
					return err
				})
				looks.Add(1)
				if err != nil && errs[i] == nil {
					errs[i] = err
				}
			}
		})
	}
	for i := range 4 {
		id := fmt.Sprintf("line %d", i+1)
		db.mark(t, lines.Next(), db.begin(t, lines, id), id)
		awaitMore(&looks)
		db.swap(t, lines, id)
	}
	awaitMore(&looks)
	cancel()
	readers.Wait()
	for _, err := range errs {
		require.NoError(t, err)
	}
}

// awaitMore waits until something was counted that is counted all the time.
func awaitMore(count *atomic.Int64) {
	for before := count.Load(); count.Load() == before; {
		runtime.Gosched()
	}
}

// keepsTransactionsWhole has a transaction begin before a swap and end after
// it. It sees the old line to its end, also when that is removed.
func keepsTransactionsWhole[Tx any](t T, db LinesDatabase[Tx]) {
	lines, beside := db.Open(t), db.Open(t)
	for _, id := range []string{"old", "new"} {
		db.mark(t, lines.Next(), db.begin(t, lines, id), id)
		if id == "old" {
			db.swap(t, lines, id)
		}
	}
	begun, swapped := make(chan struct{}), make(chan error, 1)
	go func() {
		<-begun
		swapped <- lines.Swap(t.Context(), "new", []string{db.Table}, func(context.Context, Tx) error { return nil })
	}()
	view(t, beside, func(tx Tx) error {
		first, err := db.marks(t.Context(), beside, tx)
		require.NoError(t, err)
		require.Equal(t, same("old"), first)
		close(begun)
		if db.ReadsBeside {
			require.NoError(t, <-swapped)
			swapped <- nil
		}
		second, err := db.marks(t.Context(), beside, tx)
		require.NoError(t, err)
		require.Equal(t, same("old"), second)
		return nil
	})
	require.NoError(t, <-swapped)
	view(t, beside, func(tx Tx) error {
		third, err := db.marks(t.Context(), beside, tx)
		require.NoError(t, err)
		require.Equal(t, same("new"), third)
		return nil
	})
}

// swapsBetweenWriters has writers at work on the live line while the swap's
// check takes over what they have done: nothing is lost between the two.
func swapsBetweenWriters[Tx any](t T, db LinesDatabase[Tx]) {
	lines := db.Open(t)
	const swaps = 3
	var writers sync.WaitGroup
	var written, tried atomic.Int64
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	for range 2 {
		store := db.Open(t)
		writers.Go(func() {
			for ctx.Err() == nil {
				err := store.Update(t.Context(), func(tx Tx) error {
					if _, err := store.LockCheckpoints(t.Context(), tx, consumer, 0); err != nil {
						return err
					}
					return db.count(t, tx)
				})
				if err == nil {
					written.Add(1)
				}
				tried.Add(1)
			}
		})
	}
	for i := range swaps {
		id := fmt.Sprintf("line %d", i)
		next := db.begin(t, lines, id)
		awaitMore(&tried)
		err := lines.Swap(t.Context(), id, []string{db.Table}, func(ctx context.Context, tx Tx) error {
			row, err := db.Rows(db.Table).Get(ctx, tx, "race")
			if err != nil || row == "" {
				return err
			}
			_, err = db.Rows(next).Swap(ctx, tx, "race", "", row)
			return err
		})
		require.NoError(t, err)
	}
	cancel()
	writers.Wait()
	require.Positive(t, written.Load())
	view(t, lines, func(tx Tx) error {
		row, err := db.Rows(db.Table).Get(t.Context(), tx, "race")
		require.NoError(t, err)
		require.Equal(t, strconv.FormatInt(written.Load(), 10), row)
		return nil
	})
}

// count adds one to the row "race" of the live line.
func (db LinesDatabase[Tx]) count(t T, tx Tx) error {
	old, err := db.Rows(db.Table).Get(t.Context(), tx, "race")
	if err != nil {
		return err
	}
	n, _ := strconv.ParseInt(old, 10, 64) // 0 where there is no row yet
	swapped, err := db.Rows(db.Table).Swap(t.Context(), tx, "race", old, strconv.FormatInt(n+1, 10))
	if err == nil && !swapped {
		err = errVersion
	}
	return err
}

// RebuildPassesOver builds a model anew from a topic of its own, beside the one
// in use: what was discarded there is passed over here, and what was parked is
// parked again. The members go on behind the swap.
func RebuildPassesOver[Tx any](t T, db LinesDatabase[Tx]) {
	lines := db.Open(t)
	topic := NewTopic("topic", 1, NewHistory("history"))
	h := topic.History
	model := func(table string) Tally[Tx] {
		return Tally[Tx]{Rows: db.Rows(table), Fails: func(e event.Envelope) error {
			if e.ID == h.Event("a", 1).ID {
				return projection.NewUnapplicable(e, errPlanted)
			}
			return nil
		}}
	}
	live := NewMemberOf(t, db.on(lines, db.Table), lines, model(db.Table))
	topic.Publish(0, h.Events("a", 0, 3)...)
	topic.Publish(0, h.Event("gap", 1), h.Event("b", 0))
	live.TakeOver(t, topic, 0)
	live.discard(t, "a", 1, true)

	next := db.begin(t, lines, "next")
	replay := NewTopic("replay", 1, h)
	replay.Publish(0, h.Events("a", 0, 3)...)
	replay.Publish(0, h.Events("a", 1, 4)...)
	replay.Publish(0, h.Event("b", 0), h.Event("gap", 1))
	builder := NewMemberOf(t, db.on(lines.Next(), next), lines.Next(), model(next))
	builder.TakeOver(t, replay, 0)
	wantA := append(h.Events("a", 0, 0), h.Events("a", 2, 3)...)
	live.requireHoles(t, db.on(lines, db.Table), "a", wantA...)
	wantA = append(wantA, h.Event("a", 4))
	builder.requireHoles(t, db.on(lines.Next(), next), "a", wantA...)
	builder.requireOnlyParked(t, "gap")

	db.swap(t, lines, "next")
	after := db.on(lines, db.Table)
	live.requireHoles(t, after, "a", wantA...)
	live.requireOnlyParked(t, "gap")
	live.requireAt(t, replay, 0, replay.bounds[0].End, h.Event("gap", 1))
	topic.Publish(0, h.Events("a", 4, 5)...)
	topic.Publish(0, h.Event("gap", 0))
	live.Finish(t, topic, 0)
	live.requireHoles(t, after, "a", append(wantA, h.Event("a", 5))...)
	live.requireRow(t, after, "gap", h.Events("gap", 0, 1))
	live.requireOnlyParked(t)
}
