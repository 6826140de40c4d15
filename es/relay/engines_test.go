package relay_test

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"passbook/engine/memory"
	"passbook/engine/sqlite"
	"passbook/es/bus"
	"passbook/es/checkpoint"
	"passbook/es/event"
	"passbook/es/eventstore"
	"passbook/es/relay"
)

var _ relay.Source = (*eventstore.Store)(nil)

// TestRelay_OnEngines relays from real stores, while commits come in, with the
// checkpoints in the same place.
func TestRelay_OnEngines(t *testing.T) {
	for name, open := range map[string]func(t *testing.T) (eventstore.Engine, checkpoint.Store){
		"memory": func(*testing.T) (eventstore.Engine, checkpoint.Store) {
			return memory.NewEventStore(), memory.NewCheckpoints()
		},
		"sqlite": func(t *testing.T) (eventstore.Engine, checkpoint.Store) {
			t.Helper()
			engine, err := sqlite.OpenEventStore(t.Context(), filepath.Join(t.TempDir(), "events.db"))
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, engine.Close()) })
			checkpoints, err := engine.Checkpoints(t.Context())
			require.NoError(t, err)
			return engine, checkpoints
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			engine, checkpoints := open(t)
			relayEngine(t, engine, checkpoints)
		})
	}
}

func relayEngine(t *testing.T, engine eventstore.Engine, checkpoints checkpoint.Store) {
	t.Helper()
	const streams, rounds = 20, 60
	store, err := eventstore.New(t.Context(), engine, eventstore.Config{})
	require.NoError(t, err)
	w := newWorld()
	r := relay.New(store, w.broker, checkpoints, settings("r"))
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 2)
	go func() { done <- store.Run(ctx) }()
	go func() { done <- r.Run(ctx) }()

	var last *eventstore.Pending
	for round := range rounds {
		for i := range streams {
			last, err = store.Submit(happened(fmt.Sprintf("s%02d", i), int64(round)), nil)
			require.NoError(t, err)
		}
	}
	_, err = last.Wait(t.Context())
	require.NoError(t, err)
	require.Eventually(t, func() bool { return r.Status().Position == streams*rounds }, time.Minute, time.Millisecond)
	stop()
	require.NoError(t, <-done)
	require.NoError(t, <-done)

	w.store = newHistory(store.History())
	for e, err := range store.ReadAll(t.Context(), 0) {
		require.NoError(t, err)
		e.Category, e.Metadata.Actor = "", "" // which are not published
		w.store.put(e)
	}
	require.NoError(t, w.exact())
	saved, err := checkpoints.Load(t.Context(), "relay")
	require.NoError(t, err)
	require.EqualValues(t, streams*rounds, relay.Confirmed(saved))

	again := relay.New(store, w.broker, checkpoints, settings("r"))
	require.NoError(t, again.RunToEnd(t.Context()))
	require.Zero(t, again.Status().Published)
}

func happened(stream string, version int64) eventstore.Commit {
	return eventstore.Commit{Stream: stream, Expected: version - 1, Events: []event.Envelope{{
		ID: event.NewID(), Stream: stream, Category: "test", Version: version, Type: event.Type{Name: "test.happened", Schema: 1},
		Time: event.Truncate(time.Now()), Data: []byte(`{}`),
	}}}
}

var _ bus.Feed = (*broker)(nil)
