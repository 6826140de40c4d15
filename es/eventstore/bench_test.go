package eventstore_test

import (
	"context"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"passbook/engine/memory"
	"passbook/es/event"
	"passbook/es/eventstore"
)

// slow is an engine whose commits take 5 ms each, as on a disk that means it.
type slow struct{ *memory.EventStore }

func (s slow) Append(ctx context.Context, first int64, group commits) (outcomes, error) {
	<-time.After(5 * time.Millisecond)
	return s.EventStore.Append(ctx, first, group)
}

// BenchmarkGroupCommit has 64 callers, each with a stream of its own, wait for
// one commit after the other: with shared writes, and with a write for each.
func BenchmarkGroupCommit(b *testing.B) {
	for name, groupEvents := range map[string]int{"shared": 0, "one by one": 1} {
		b.Run(name, func(b *testing.B) {
			config := eventstore.Config{GroupEvents: groupEvents, Logger: quiet()}
			store, err := eventstore.New(b.Context(), slow{memory.NewEventStore()}, config)
			require.NoError(b, err)
			ctx, cancel := context.WithCancel(b.Context())
			ran := make(chan error)
			go func() { ran <- store.Run(ctx) }()
			b.ResetTimer()
			appendFrom64(b, store)
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "commits/s")
			cancel()
			require.NoError(b, <-ran)
		})
	}
}

func appendFrom64(b *testing.B, store *eventstore.Store) {
	b.Helper()
	var callers sync.WaitGroup
	for i := range 64 {
		callers.Go(func() {
			stream, expected := strconv.Itoa(i), event.NoVersion
			for range (b.N + 63 - i) / 64 {
				c := commit(stream, expected, 1)
				if _, err := store.Append(context.Background(), c); err != nil {
					b.Error(err)
					return
				}
				expected++
			}
		})
	}
	callers.Wait()
}
