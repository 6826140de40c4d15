package projection_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"passbook/engine/memory"
	"passbook/es/event"
	"passbook/es/projection"
	"passbook/es/projection/projectiontest"
)

func failsAt(versions ...int64) func(e event.Envelope) error {
	return func(e event.Envelope) error {
		if slices.Contains(versions, e.Version) {
			return projection.NewUnapplicable(e, errors.New("planted"))
		}
		return nil
	}
}

// TestProjection_AwaitDiscarded: who waits for a discarded event, or for one
// behind it, waits for nothing that will not come.
func TestProjection_AwaitDiscarded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx := t.Context()
		topic := projectiontest.NewTopic("topic", 1, projectiontest.NewHistory("history"))
		topic.Publish(0, topic.History.Events("a", 0, 1)...)
		store := memory.NewProjectionStore()
		p := newProjection(t, store, tally(failsAt(1, 3)), projection.Config{AwaitPoll: time.Hour})
		require.NoError(t, p.RunToEnd(ctx, topic, topic.Topic))
		first := await(ctx, p, "a", 1)
		begin := time.Now()
		_, err := p.Discard(ctx, "a", 1, "why", "")
		require.NoError(t, err)
		require.Equal(t, awaited{reached: 1}, <-first, "nothing waited behind it")

		topic.Publish(0, topic.History.Events("a", 2, 3)...)
		require.NoError(t, p.RunToEnd(ctx, topic, topic.Topic))
		_, err = p.Discard(ctx, "a", 3, "why", "")
		require.NoError(t, err)
		reached, err := p.Await(ctx, "a", 2)
		require.NoError(t, err)
		require.Equal(t, int64(2), reached)
		reached, err = p.Await(ctx, "a", 3)
		require.NoError(t, err)
		require.Equal(t, int64(3), reached)
		require.Equal(t, time.Hour, time.Since(begin), "who waited is told at once, who comes later at the next look")

		// Where queries see something else than the rows, discards count too.
		seen := int64(2)
		visible := projection.Config{Visible: func(context.Context, string) (int64, error) { return seen, nil }}
		reached, err = newProjection(t, store, tally(nil), visible).Await(ctx, "a", 3)
		require.NoError(t, err)
		require.Equal(t, int64(3), reached)

		// A model that is built anew wakes whoever waits for what it passes over.
		begin = time.Now()
		require.NoError(t, store.Update(ctx, func(tx memTx) error {
			tx.Delete("suite_row", "a")
			return nil
		}))
		first = await(ctx, p, "a", 1)
		again := projectiontest.NewTopic("again", 1, topic.History)
		again.Publish(0, topic.History.Event("a", 0))
		require.NoError(t, p.RunToEnd(ctx, again, again.Topic))
		require.Equal(t, awaited{reached: 1}, <-first)
		require.Zero(t, time.Since(begin), "it is told at once")
	})
}

// TestProjection_DiscardLogs: what was given up is not only in a table.
func TestProjection_DiscardLogs(t *testing.T) {
	t.Parallel()
	var log strings.Builder
	topic := projectiontest.NewTopic("topic", 1, projectiontest.NewHistory("history"))
	topic.Publish(0, topic.History.Events("a", 0, 1)...)
	config := projection.Config{Logger: slog.New(slog.NewTextHandler(&log, nil))}
	p := newProjection(t, memory.NewProjectionStore(), tally(failsAt(1)), config)
	require.NoError(t, p.RunToEnd(t.Context(), topic, topic.Topic))
	count, err := p.CountParked(t.Context())
	require.NoError(t, err)
	require.Equal(t, int64(1), count)
	_, err = p.Discard(t.Context(), "a", 1, "typed twice", "anna")
	require.NoError(t, err)
	require.Contains(t, log.String(), `msg="event was discarded" consumer=tally stream=a version=1 event=a-1 reason="typed twice" by=anna`)
}

// TestProjection_DiscardBesideAnother: another person discards the event, and the
// next one comes into the way at the same version, between the two tries that
// it takes to find out what is behind it.
func TestProjection_DiscardBesideAnother(t *testing.T) {
	t.Parallel()
	topic := projectiontest.NewTopic("topic", 1, projectiontest.NewHistory("history"))
	h := topic.History
	topic.Publish(0, h.Event("a", 0), h.Event("a", 1), h.Other("a", 1), h.Event("a", 2))
	store := memory.NewProjectionStore()
	db := projectiontest.Database[memTx]{
		Open: func(projectiontest.T) projection.Store[memTx] { return store },
		Rows: projectiontest.KeyValueRows[memTx]{},
	}
	other := newProjection(t, store, tally(failsAt(1, 2)), projection.Config{})
	var member *projectiontest.Member[memTx]
	tries := 0
	member = projectiontest.NewMemberOf(t, db, store, tally(func(e event.Envelope) error {
		if e.Version > 0 {
			return projection.NewUnapplicable(e, errors.New("planted"))
		}
		return nil
	}))
	member.TakeOver(t, topic, 0)
	member.Store.Before = func() error {
		if tries++; tries == 2 { // the first found that what is behind cannot be applied
			_, err := other.Discard(t.Context(), "a", 1, "why", "the other")
			return err
		}
		return nil
	}
	_, err := member.Discard(t.Context(), "a", 1, "why", "one")
	inTheWay, ok := errors.AsType[*projection.NotInTheWayError](err)
	require.True(t, ok, "%v", err)
	require.Equal(t, h.Other("a", 1).ID, inTheWay.Parked.EventID)
	discards, err := other.Discards(t.Context(), projection.Discarded{}, 10)
	require.NoError(t, err)
	require.Len(t, discards, 1)
}
