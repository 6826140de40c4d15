package mongodb_test

import (
	"cmp"
	"context"
	"errors"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"passbook/es/event"
	"passbook/es/eventstore"
)

// longer multiplies what a random test does, by a number that the environment
// may give: each of these tests is worth its time after a change to the appends.
func longer(t testing.TB, n int) int {
	t.Helper()
	factor := os.Getenv("PASSBOOK_TEST_LONGER")
	if factor == "" {
		return n
	}
	times, err := strconv.Atoi(factor)
	require.NoError(t, err, "PASSBOOK_TEST_LONGER: want a number")
	return n * times
}

const processes = 8

// TestFailover: eight processes append to one stream and to many while the
// primary is killed, stopped and made to step down in turn. Every success is
// there once, where its caller was told; nothing is there that was refused;
// positions are without a gap and in the order of commits; a reader who follows
// all the while sees every event once and in order.
func TestFailover(t *testing.T) {
	c := newCluster(t)
	r := roomOn(c.Members)
	r.open(t)
	reader := followStore(t, r)
	var writers []*process
	for i := range processes {
		// Every other one writes single events only: without transactions.
		writers = append(writers, startProcess(t, r.url, 1+2*(i%2), func(*process) {}))
	}
	for round := range longer(t, 3) {
		awaitMore(t, writers, 10)
		t.Logf("round %d: the primary is %s", round, c.disturb(round))
	}
	awaitMore(t, writers, 10)
	var intervals []interval
	for _, p := range writers {
		require.NoError(t, p.input.Close())
	}
	for _, p := range writers {
		require.NoError(t, <-p.over)
		intervals = append(intervals, p.intervals...)
	}
	all := readAll(t, r.open(t))
	for _, p := range writers {
		p.compare(t, all)
	}
	requireCommitOrder(t, intervals)
	reader(all)
}

// awaitMore waits until every writer has appended so many events more.
func awaitMore(t testing.TB, writers []*process, more int) {
	t.Helper()
	for _, p := range writers {
		from := p.count()
		require.Eventually(t, func() bool { return p.count() >= from+more }, 2*time.Minute, 10*time.Millisecond,
			"a writer does not come back")
	}
}

// interval is the uptime at which a commit was handed in and acknowledged, and the
// position of its last event.
type interval struct{ began, answered, position int64 }

// requireCommitOrder checks that what was acknowledged before a commit was handed
// in stands before it.
func requireCommitOrder(t testing.TB, commits []interval) {
	t.Helper()
	answered := slices.SortedFunc(slices.Values(commits), func(a, b interval) int { return cmp.Compare(a.answered, b.answered) })
	began := slices.SortedFunc(slices.Values(commits), func(a, b interval) int { return cmp.Compare(a.began, b.began) })
	last := int64(0)
	for _, c := range began {
		for len(answered) > 0 && answered[0].answered < c.began {
			last = max(last, answered[0].position)
			answered = answered[1:]
		}
		require.Greater(t, c.position, last, "a commit stands before one that was acknowledged before it was handed in")
	}
	require.Positive(t, last, "nothing was acknowledged before something else began")
}

// followStore reads a store as it grows, woken as a relay is. The function that
// it returns waits until it has seen as much as there is, and compares.
func followStore(t *testing.T, r room) (wait func(all []event.Envelope)) {
	t.Helper()
	store := startStore(t, r.open(t), eventstore.Config{})
	ctx, stop := context.WithCancel(t.Context())
	ids, failed := make(chan string, 1_000_000), make(chan error, 1)
	go func() {
		for seen := int64(0); ctx.Err() == nil; {
			_ = store.Await(ctx, seen) // there may be no primary; reading tells
			for e, err := range store.ReadAll(ctx, seen) {
				if errors.Is(err, eventstore.ErrMissing) {
					failed <- err
					return
				}
				if err != nil {
					break
				}
				ids <- e.ID
				seen++
			}
		}
		failed <- nil
	}()
	return func(all []event.Envelope) {
		defer stop()
		for _, e := range all {
			select {
			case id := <-ids:
				require.Equal(t, e.ID, id, "what a reader saw at position %d", e.Position)
			case err := <-failed:
				require.NoError(t, err)
			case <-time.After(watchMax):
				require.Fail(t, "a reader does not get on", "position %d", e.Position)
			}
		}
		stop()
		require.NoError(t, <-failed)
		require.Empty(t, ids, "a reader saw more than is there")
	}
}
