package mongodb_test

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"passbook/engine/mongodb"
	"passbook/es/eventstore"
	"passbook/internal/testenv"
)

// watchMax ends a wait that nothing will end.
const watchMax = 2 * time.Minute

// seldom polls so seldom that it is no help.
var seldom = eventstore.Config{PollInterval: 24 * time.Hour}

// startStore returns a running store.
func startStore(t *testing.T, engine eventstore.Engine, config eventstore.Config) *eventstore.Store {
	t.Helper()
	config.Logger = slog.New(slog.DiscardHandler)
	store, err := eventstore.New(t.Context(), engine, config)
	require.NoError(t, err)
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	ran := make(chan error, 1)
	go func() { ran <- store.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		require.NoError(t, <-ran)
	})
	return store
}

// TestWatch: a reader in one process is woken by what another one writes, with an
// insert or in a transaction.
func TestWatch(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	reader, writer := startStore(t, r.open(t), seldom), startStore(t, r.open(t), seldom)
	ctx, cancel := context.WithTimeout(t.Context(), watchMax)
	defer cancel()
	position, version := int64(0), int64(-1)
	for round := range 20 {
		seen := make(chan error, 1)
		go func() { seen <- reader.Await(ctx, position) }()
		receipt, err := writer.Append(ctx, commit("a", version, 1+round%2))
		require.NoError(t, err)
		require.NoError(t, <-seen, "round %d", round)
		position, version = receipt.Position, receipt.Version
	}
}

// watching calls Watch beside the test.
func watching(ctx context.Context, engine *mongodb.EventStore) (wakes <-chan struct{}, ended <-chan error) {
	calls, end := make(chan struct{}, 1000), make(chan error, 1)
	go func() { end <- engine.Watch(ctx, func() { calls <- struct{}{} }) }()
	return calls, end
}

// TestWatch_OwnInserts: a busy writer is not told of what it writes.
func TestWatch_OwnInserts(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	own, other := r.open(t), r.open(t)
	ctx, stop := context.WithCancel(t.Context())
	wakes, ended := watching(ctx, own)
	<-wakes // it has begun
	for i := range int64(10) {
		mustAppend(t, own, i+1, commit("own", i-1, 1))
	}
	mustAppend(t, own, 11, opening("transaction", 2))
	mustAppend(t, other, 13, opening("other", 1))
	<-wakes
	mustAppend(t, own, 14, commit("own", 9, 1))
	mustAppend(t, other, 15, commit("other", 0, 1))
	<-wakes
	stop()
	require.ErrorIs(t, <-ended, context.Canceled)
	require.Empty(t, wakes)
}

// TestWatch_Dropped: it does not go on looking at a collection that is gone.
func TestWatch_Dropped(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	engine := r.open(t)
	ctx, stop := context.WithTimeout(t.Context(), watchMax)
	defer stop()
	wakes, ended := watching(ctx, engine)
	<-wakes
	require.NoError(t, r.bare(t).Collection("eventStore").Drop(t.Context()))
	err := <-ended
	require.NoError(t, ctx.Err())
	requireOneLine(t, err, "watch collection eventStore")
}

// held is an engine whose watch the test holds after each call: for as long it
// asks for nothing, as in a process that was stopped.
type held struct {
	*mongodb.EventStore
	called, on chan struct{}
	// looked gets one for each look at the head that began after a call.
	looked  chan struct{}
	rumours *atomic.Int32
	ended   chan error
}

func hold(engine *mongodb.EventStore) held {
	return held{
		EventStore: engine, ended: make(chan error, 100), looked: make(chan struct{}, 100),
		called: make(chan struct{}), on: make(chan struct{}), rumours: new(atomic.Int32),
	}
}

func (h held) Watch(ctx context.Context, wake func()) error {
	err := h.EventStore.Watch(ctx, func() {
		h.rumours.Add(1)
		wake()
		select {
		case h.called <- struct{}{}:
		case <-h.on: // no more calls are held
		case <-ctx.Done():
		}
		select {
		case <-h.on:
		case <-ctx.Done():
		}
	})
	h.ended <- err
	return err
}

func (h held) Head(ctx context.Context) (int64, error) {
	after := h.rumours.Load() > 0
	position, err := h.EventStore.Head(ctx)
	if after {
		h.looked <- struct{}{}
	}
	return position, err
}

// What a change stream is to go on from is not there any more: the place of its
// cursor, or that of a token.
const (
	codePositionLost = 136
	codeHistoryLost  = 286
)

// TestWatch_OplogRolledOver: a watch that was asleep for longer than the oplog
// reaches back has no place to go on from. Its reader misses nothing.
func TestWatch_OplogRolledOver(t *testing.T) {
	t.Parallel()
	members := testenv.StartMembers(t, 1, "--oplogSize", "1", "--syncdelay", "1") // what is not in a checkpoint stays in the oplog
	r := roomOn(members)
	h := hold(r.open(t))
	store, other := startStore(t, h, seldom), r.open(t)
	ctx, cancel := context.WithTimeout(t.Context(), watchMax)
	defer cancel()
	waiting := make(chan error, 1)
	go func() { waiting <- store.Await(ctx, 0) }()
	<-h.called // the stream is open, and is asked no more
	<-h.looked // and who waits has had his look
	first := opening("a", 1)
	mustAppend(t, other, 1, first)
	rollOplog(ctx, t, r)
	require.Empty(t, waiting)
	close(h.on)
	ended := <-h.ended
	failure, ok := errors.AsType[mongo.ServerError](ended)
	require.True(t, ok && (failure.HasErrorCode(codePositionLost) || failure.HasErrorCode(codeHistoryLost)),
		"the stream ended otherwise: %v", ended)
	require.NoError(t, <-waiting)
	for e, err := range store.ReadAll(ctx, 0) {
		require.NoError(t, err)
		require.Equal(t, first.Events[0].ID, e.ID)
	}
	// The next stream is as good as the first was.
	go func() { waiting <- store.Await(ctx, 1) }()
	mustAppend(t, other, 2, opening("b", 1))
	require.NoError(t, <-waiting)
}

// rollOplog writes until what was in the oplog before is not there any more.
func rollOplog(ctx context.Context, t *testing.T, r room) {
	t.Helper()
	junk := r.bare(t).Collection("junk")
	oplog := junk.Database().Client().Database("local").Collection("oplog.rs")
	begin := func(direction int) (at bson.Timestamp) {
		var entry struct {
			Time bson.Timestamp `bson:"ts"`
		}
		order := options.FindOne().SetSort(bson.D{{Key: "$natural", Value: direction}})
		require.NoError(t, oplog.FindOne(ctx, bson.D{}, order).Decode(&entry))
		return entry.Time
	}
	for before := begin(-1); !begin(1).After(before); {
		_, err := junk.InsertOne(ctx, bson.D{{Key: "junk", Value: make([]byte, 100_000)}})
		require.NoError(t, err)
	}
}
