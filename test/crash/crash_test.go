package crash_test

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"passbook/contract/account"
	"passbook/engine/sqlite"
	"passbook/es/event"
	"passbook/es/eventstore"
	"passbook/internal/testenv"
)

var (
	kills   = flag.Int("kills", 8, "how often passbook is killed")
	prefill = flag.Int("prefill", 0, "how many events are in the store before")
	seed    = flag.Uint64("seed", uint64(time.Now().UnixNano()), "seed of the load and of the moments")
)

func TestMain(m *testing.M) {
	flag.Parse()
	code := m.Run()
	testenv.Cleanup()
	os.Exit(code)
}

// TestKill9 kills passbook at random moments under load: no acknowledged
// command is lost, none is done twice, everybody is told of each once, and all
// sides agree in the end.
func TestKill9(t *testing.T) {
	t.Logf("seed %d, %d kills, %d events before", *seed, *kills, *prefill)
	data := t.TempDir()
	before := fill(t, filepath.Join(data, "events.db"), *prefill)
	told := newCustomers(t)
	p := testenv.Start(t, data, told.settings()...)
	p.AwaitReady(t.Context())

	l := newLoad(t, p.Command, 50)
	ctx, stop := context.WithCancel(t.Context())
	finished := make(chan struct{})
	go func() {
		defer close(finished)
		l.run(ctx, 16, *seed)
	}()
	random := rand.New(rand.NewPCG(*seed, 1))
	var starts []time.Duration
	for range *kills {
		timer := time.NewTimer(time.Duration(10+random.IntN(300)) * time.Millisecond) // a moment, not a wait for anything
		<-timer.C
		p.Kill()
		began := time.Now()
		p = testenv.Start(t, data, told.settings()...)
		l.base.Store(&p.Command)
		p.AwaitReady(t.Context())
		starts = append(starts, time.Since(began))
	}
	stop()
	<-finished
	slices.Sort(starts)
	t.Logf("acknowledged %d, refused %d, repeated %d, of these known from before a crash %d",
		l.acknowledged.Load(), l.refused.Load(), l.repeated.Load(), l.replayed.Load())
	t.Logf("ready again after p50 %v, max %v", starts[len(starts)/2], starts[len(starts)-1])

	l.requireBalances(t, p.Query)
	repeats := testenv.RequireFeed(t, p.Broker, before+l.total())
	t.Logf("the feed has %d events and %d equal repeats", before+l.total(), repeats)
	told.requireNotified(t, p, l.total())
	verify := exec.Command(testenv.Program(t), "verify", "--data", data, "--broker", "kafka://"+p.Broker)
	output, err := verify.CombinedOutput()
	require.NoError(t, err, "%s", output)
	p.Stop()
	requireStore(t, filepath.Join(data, "events.db"), l, before)
}

// fill puts events into a store that is not running yet.
func fill(t *testing.T, path string, events int) int64 {
	t.Helper()
	if events == 0 {
		return 0
	}
	store, end := openStore(t, path)
	defer end()
	const perStream = 100
	var pending []*eventstore.Pending
	for n := 0; n < events; n += perStream {
		commit := eventstore.Commit{Stream: "fill-" + strconv.Itoa(n), Expected: event.NoVersion}
		for i := range perStream {
			commit.Events = append(commit.Events, filler(t, i))
		}
		p, err := store.Submit(commit, nil)
		require.NoError(t, err)
		pending = append(pending, p)
	}
	for _, p := range pending {
		_, err := p.Wait(t.Context())
		require.NoError(t, err)
	}
	head, err := store.Head(t.Context())
	require.NoError(t, err)
	return head
}

func filler(t *testing.T, version int) event.Envelope {
	t.Helper()
	balance := fmt.Sprintf("%d.00", version+1)
	kind, payload := account.DepositedName, fmt.Sprintf(`{"amount":{"amount":"1.00","currency":"EUR"},"balance":{"amount":%q,"currency":"EUR"}}`, balance)
	if version == 0 {
		kind, payload = account.OpenedName, `{"accountHolder":"Fill","accountType":"SAVINGS","openingBalance":{"amount":"1.00","currency":"EUR"}}`
	}
	require.True(t, json.Valid([]byte(payload)))
	return event.Envelope{
		ID: event.NewID(), Category: account.AggregateType, Type: event.Type{Name: kind, Schema: 1},
		Time: event.Truncate(time.Now()), Data: []byte(payload),
	}
}

// openStore opens an event store that no passbook has open.
func openStore(t *testing.T, path string) (*eventstore.Store, func()) {
	t.Helper()
	engine, err := sqlite.OpenEventStore(t.Context(), path)
	require.NoError(t, err)
	store, err := eventstore.New(t.Context(), engine, eventstore.Config{})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- store.Run(ctx) }()
	return store, func() {
		cancel()
		require.NoError(t, <-ended)
		require.NoError(t, engine.Close())
	}
}

// requireStore holds the event store against what was acknowledged.
func requireStore(t *testing.T, path string, l *load, before int64) {
	t.Helper()
	store, end := openStore(t, path)
	defer end()
	versions, ids := make(map[string]int64), make(map[string]bool)
	var count int64
	for e, err := range store.ReadAll(t.Context(), 0) {
		require.NoError(t, err)
		count++
		require.Equal(t, count, e.Position)
		require.Equal(t, versions[e.Stream], e.Version, "stream %s", e.Stream)
		versions[e.Stream]++
		require.False(t, ids[e.ID])
		ids[e.ID] = true
	}
	require.Equal(t, before+l.total(), count, "events in the store")
	for _, a := range l.accounts {
		require.Equal(t, a.events.Load(), versions[a.id], "events of account %s", a.id)
	}
}
