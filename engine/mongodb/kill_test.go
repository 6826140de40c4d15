package mongodb_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"passbook/es/eventstore"
)

// TestKilledWriters: processes that append to the same streams are killed in the
// middle of it. What they were told is there, the others go on, and nobody waits
// for what a dead one has left open.
func TestKilledWriters(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	r.open(t)
	var mu sync.Mutex
	var killed []*process
	var places sync.WaitGroup
	for range 3 {
		places.Go(func() {
			for range longer(t, 4) {
				p, err := runAndKill(t, r.url, 20+rand.IntN(60))
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				killed = append(killed, p)
				mu.Unlock()
			}
		})
	}
	places.Wait()
	all := readAll(t, r.open(t))
	require.NotEmpty(t, all)
	for _, p := range killed {
		p.compare(t, all)
	}
	// What a dead one has left open is in the way until it counts as an orphan.
	after := untilSettled(t.Context(), r.open(t), int64(len(all)+1), opening("after all", 2))
	require.Equal(t, eventstore.Written, after.State)
}

// runAndKill kills a writer that was told of so many events.
func runAndKill(t *testing.T, url string, events int) (*process, error) {
	t.Helper()
	p := startProcess(t, url, 3, func(p *process) {
		if p.count() >= events {
			_ = p.cmd.Process.Kill()
		}
	})
	if err := <-p.over; p.count() < events {
		return p, fmt.Errorf("a writer ended by itself after %d of %d events: %w", p.count(), events, err)
	}
	return p, nil
}
