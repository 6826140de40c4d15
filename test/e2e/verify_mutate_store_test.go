package e2e_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"passbook/es/bus"
	"passbook/es/verify"
)

func storeMutations() map[string]mutate {
	// category and actor go nowhere, so nothing tells that they were altered.
	changes := map[string]string{
		"stream": "stream || 'x'", "version": "version + 1000", "id": "id || '0'", "type": "'passbook.account.renamed'", "type_schema": "9",
		"time_us": "time_us + 1", "data": "CAST(replace(CAST(data AS TEXT), '\"amount\"', '\"Amount\"') || ' ' AS BLOB)",
		"correlation_id": "'x'", "causation_id": "'x'", "trace_parent": "'00-1-2-00'", "imported": "1 - imported",
	}
	all := map[string]mutate{
		"amount altered": func(t *testing.T, rng *rand.Rand, w *whole) mutation {
			t.Helper()
			e := w.anEvent(rng)
			alter(t, w.store(), `UPDATE event SET data = CAST(replace(CAST(data AS TEXT), '"currency":"EUR"', '"currency":"CHF"') || char(10) AS BLOB)
				WHERE position = ?`, e.Position)
			return ofEvent(e, "", 6+w.behind(e), "position %d", e.Position)
		},
		"key of another event": func(t *testing.T, rng *rand.Rand, w *whole) mutation {
			t.Helper()
			e := w.anEvent(rng)
			alter(t, w.store(), "INSERT INTO idempotency_key VALUES ('', 'k', x'00', x'', ?, ?, ?)", e.Stream, e.Version, e.Position-1)
			return ofEvent(e, "", 1, "position %d", e.Position-1)
		},
		"event removed": func(t *testing.T, rng *rand.Rand, w *whole) mutation {
			t.Helper()
			e := w.anEvent(rng)
			if rng.IntN(4) == 0 {
				e = w.events[len(w.events)-1]
			}
			alter(t, w.store(), "DELETE FROM event WHERE position = ?", e.Position)
			return ofEvent(e, "", 10+w.behind(e), "position %d", e.Position)
		},
	}
	anyOf(all, "event", changes, func(column, expression string) mutate {
		return func(t *testing.T, rng *rand.Rand, w *whole) mutation {
			t.Helper()
			e := w.anEvent(rng)
			alter(t, w.store(), "UPDATE event SET "+column+" = "+expression+" WHERE position = ?", e.Position)
			// What a version far ahead leaves behind is told version by version.
			return ofEvent(e, "", 1010+2*w.behind(e), "position %d", e.Position)
		}
	})
	return all
}

// checkpointMutations are changes after which a checkpoint does not hold.
func checkpointMutations() map[string]mutate {
	all := make(map[string]mutate)
	for _, change := range []string{
		"next = next - 1", "next = next + 1", "next = next + 1000", "next = 0 - next", "next = max(1, next / 2)",
		"event_id = event_id || 'x'", "position = position + 1", "history = 'another'",
	} {
		all["checkpoint of the read model: "+change] = moveCheckpoint((*whole).read, "checkpoint", change)
	}
	for _, change := range []string{
		"next = next - 1", "next = next + 1", "next = next + 1000", "event_id = 'x'", "position = position - 1", "position = position + 1",
		"history = 'another'", "confirmed = confirmed + 1", "confirmed = 0",
	} {
		all["checkpoint of the relay: "+change] = moveCheckpoint((*whole).store, "progress", change)
	}
	return all
}

// moveCheckpoint changes a checkpoint in a partition that has events.
func moveCheckpoint(path func(*whole) string, table, change string) mutate {
	return func(t *testing.T, rng *rand.Rand, w *whole) mutation {
		t.Helper()
		partition := bus.Partition(w.anEvent(rng).Stream, verifyPartitions)
		alter(t, path(w), fmt.Sprintf("UPDATE %s SET %s WHERE partition = ? AND next > 2", table, change), partition)
		return mutation{partition: partition, place: verify.InCheckpoint, most: 2}
	}
}
