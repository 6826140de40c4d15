package mongodb_test

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"passbook/engine/mongodb"
	"passbook/es/eventstore"
)

// writerEnv makes the test binary a process that appends to the store at the URL
// in it, and prints each event that was acknowledged, with its position.
const writerEnv = "MONGODB_TEST_WRITER"

func TestMain(m *testing.M) {
	if url := os.Getenv(writerEnv); url != "" {
		fmt.Fprintln(os.Stderr, writeForEver(url))
		os.Exit(2)
	}
	os.Exit(m.Run())
}

func writeForEver(url string) error {
	ctx := context.Background()
	engine, err := mongodb.OpenEventStore(ctx, url)
	if err != nil {
		return err
	}
	store, err := eventstore.New(ctx, engine, eventstore.Config{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	for range 4 {
		go appendAndPrint(ctx, store)
	}
	return store.Run(ctx)
}

func appendAndPrint(ctx context.Context, store *eventstore.Store) {
	for {
		stream := fmt.Sprint("account-", rand.IntN(8))
		version, err := store.StreamVersion(ctx, stream)
		if err != nil {
			continue
		}
		c := commit(stream, version, 1+rand.IntN(3))
		receipt, err := store.Append(ctx, c)
		if err != nil {
			continue // another's commit, mostly
		}
		for i, e := range c.Events {
			fmt.Println(e.ID, receipt.Position-int64(len(c.Events)-1-i))
		}
	}
}

// TestKilledWriters: processes that append to the same streams are killed in the
// middle of it. What they were told is there, the others go on, and nobody waits
// for what a dead one has left open.
func TestKilledWriters(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	r.open(t)
	var mu sync.Mutex
	acknowledged := newLedger()
	var processes sync.WaitGroup
	for range 3 {
		processes.Go(func() {
			for range longer(t, 4) {
				positions, err := runAndKill(t.Context(), r.url, 20+rand.IntN(60))
				mu.Lock()
				maps.Copy(acknowledged.acknowledged, positions)
				mu.Unlock()
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	processes.Wait()
	all := readAll(t, r.open(t))
	require.NotEmpty(t, all)
	acknowledged.compare(t, all)
	// What a dead one has left open is in the way until it counts as an orphan.
	after := untilSettled(t.Context(), r.open(t), int64(len(all)+1), opening("after all", 2))
	require.Equal(t, eventstore.Written, after.State)
}

// runAndKill kills a writer that has printed so many lines, and returns all that
// it has printed.
func runAndKill(ctx context.Context, url string, lines int) (map[string]int64, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, self)
	cmd.Env = append(os.Environ(), writerEnv+"="+url)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	positions := make(map[string]int64)
	for scanner := bufio.NewScanner(out); scanner.Scan(); {
		var id string
		var position int64
		if n, _ := fmt.Sscan(scanner.Text(), &id, &position); n == 2 {
			positions[id] = position
		}
		if len(positions) == lines {
			_ = cmd.Process.Kill()
		}
	}
	_ = cmd.Wait() // it was killed
	if len(positions) < lines {
		return positions, fmt.Errorf("a writer ended by itself after %d of %d events", len(positions), lines)
	}
	return positions, nil
}
