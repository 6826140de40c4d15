package eventstore_test

import (
	"context"
	"math/rand/v2"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"passbook/es/eventstore"
)

// TestRandomFaults has clients write through two stores on one engine, which
// loses answers, arrives late, in part or not at all, and is down at times. What
// a client was told is so in the end.
func TestRandomFaults(t *testing.T) {
	t.Parallel()
	seeds := 150
	if testing.Short() {
		seeds = 20
	}
	for seed := range uint64(seeds) {
		synctest.Test(t, func(t *testing.T) {
			defer func() {
				if t.Failed() {
					t.Log("seed", seed)
				}
			}()
			randomFaults(t, rand.New(rand.NewPCG(seed, 7)))
		})
	}
}

// unreliable breaks an engine in turn in all the ways that its contract allows.
func unreliable(e *engine, random *rand.Rand) (drain func()) {
	var floating []late
	land := func() {
		for i := range floating {
			if random.IntN(3) == 0 && e.arrive(floating[i], 1+random.IntN(5)) {
				floating[i].group = nil
			}
		}
	}
	e.onAppend = func(ctx context.Context, first int64, group commits) (outcomes, error) {
		land()
		elapse(time.Duration(random.IntN(3000)) * time.Microsecond)
		switch random.IntN(8) {
		case 0:
			return nil, notWritten()
		case 1:
			floating = append(floating, late{first, group})
			return nil, errLost
		case 2:
			e.arrive(late{first, group}, random.IntN(len(group)+1))
			return nil, errLost
		case 3:
			_, _ = e.EventStore.Append(ctx, first, group)
			return nil, errLost
		case 4:
			return make(outcomes, len(group)), nil
		}
		return e.EventStore.Append(ctx, first, group)
	}
	e.onHead = func(ctx context.Context) (int64, error) {
		land()
		if random.IntN(6) == 0 {
			return 0, errLost
		}
		return e.EventStore.Head(ctx)
	}
	return func() {
		for range 50 {
			land()
		}
	}
}

// told is what a client was told of a commit.
type told struct {
	commit  eventstore.Commit
	receipt eventstore.Receipt
	err     error
}

func randomFaults(t *testing.T, random *rand.Rand) {
	t.Helper()
	shared := newEngine(t)
	var stores []*eventstore.Store
	var drains []func()
	answers := make(chan []told)
	clients := 0
	for range 2 {
		e := &engine{EventStore: shared.EventStore, t: t, features: eventstore.Features{SharedWriters: true}}
		store, err := eventstore.New(t.Context(), e, eventstore.Config{GroupEvents: 1 + random.IntN(20), Logger: quiet()})
		require.NoError(t, err)
		drains = append(drains, unreliable(e, rand.New(rand.NewPCG(random.Uint64(), 1))))
		stores = append(stores, store)
		for range 4 {
			clients++
			own := rand.New(rand.NewPCG(random.Uint64(), 1))
			go func() { answers <- chains(t, store, shared, own) }()
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	ran := make(chan error)
	for _, store := range stores {
		go func() { ran <- store.Run(ctx) }()
	}
	var all []told
	for range clients {
		all = append(all, <-answers...)
	}
	cancel()
	for range stores {
		require.NoError(t, <-ran)
	}
	for _, drain := range drains {
		drain()
	}
	checkTold(t, shared, all)
}

func checkTold(t *testing.T, e *engine, all []told) {
	t.Helper()
	written := 0
	for _, a := range all {
		if a.err == nil {
			written += len(a.commit.Events)
			requireOnce(t, e, a.commit, a.receipt)
			continue
		}
		require.NotErrorIs(t, a.err, eventstore.ErrOutcomeUnknown, "nobody gave up")
		requireAbsent(t, e, a.commit)
	}
	require.Equal(t, int64(written), e.top(), "more is there than was acknowledged")
}

// chains submits chains of commits on few streams, each decided on the one
// before while that is in flight.
func chains(t *testing.T, store *eventstore.Store, e *engine, random *rand.Rand) (all []told) {
	for range 6 {
		stream := strconv.Itoa(random.IntN(3))
		expected := e.version(stream)
		var after *eventstore.Pending
		var pending []*eventstore.Pending
		begin := len(all)
		for range 1 + random.IntN(4) {
			c := commit(stream, expected, random.IntN(3))
			p, err := store.Submit(c, after)
			if err != nil {
				t.Error(err)
				return all
			}
			all, pending, after = append(all, told{commit: c}), append(pending, p), p
			expected += int64(len(c.Events))
			elapse(time.Duration(random.IntN(2000)) * time.Microsecond)
		}
		for i, p := range pending {
			all[begin+i].receipt, all[begin+i].err = wait(p)
		}
	}
	return all
}
