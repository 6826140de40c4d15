package sqlite_test

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"passbook/engine/sqlite"
	"passbook/es/event"
	"passbook/es/eventstore"
)

const benchData = `{"amount":{"amount":"12.50","currency":"EUR"},"balance":{"amount":"112.50","currency":"EUR"},"reference":"invoice 4711"}`

func benchEvent(stream string, version int64) event.Envelope {
	return event.Envelope{
		ID: event.NewID(), Stream: stream, Category: "account", Version: version,
		Type: event.Type{Name: "passbook.account.deposited", Schema: 1},
		Time: event.Truncate(time.Now()), Data: []byte(benchData),
		Metadata: event.Metadata{CorrelationID: event.NewID(), CausationID: event.NewID()},
	}
}

// BenchmarkEventStore_Append writes groups of commits of one event each, over
// 200 streams; BenchmarkBareInsert writes as many rows with bare statements.
func BenchmarkEventStore_Append(b *testing.B) {
	for _, size := range []int{1, 10, 100, 1000} {
		b.Run(strconv.Itoa(size), func(b *testing.B) {
			store, err := sqlite.OpenEventStore(b.Context(), filepath.Join(b.TempDir(), "events.db"))
			require.NoError(b, err)
			defer store.Close()
			versions := make(map[string]int64)
			next := 0
			position := int64(1)
			for b.Loop() {
				group := make([]eventstore.Commit, size)
				for i := range group {
					stream := fmt.Sprintf("5f0c2f5e-7c4f-4a53-9b3a-%012d", next%200)
					version, ok := versions[stream]
					if !ok {
						version = event.NoVersion
					}
					group[i] = eventstore.Commit{
						Stream: stream, Expected: version, Events: []event.Envelope{benchEvent(stream, version+1)},
					}
					versions[stream] = version + 1
					next++
				}
				outcomes, err := store.Append(b.Context(), position, group)
				require.NoError(b, err)
				require.Equal(b, eventstore.Written, outcomes[size-1].State)
				position += int64(size)
			}
			b.ReportMetric(float64(b.N*size)/b.Elapsed().Seconds(), "events/s")
		})
	}
}

const bareInsert = `INSERT INTO event (position, stream, version, id, category, type, type_schema, time_us, data,
	correlation_id, causation_id, actor, trace_parent, imported) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '', '', 0)`

func BenchmarkBareInsert(b *testing.B) {
	for _, size := range []int{1, 10, 100, 1000} {
		b.Run(strconv.Itoa(size), func(b *testing.B) {
			conn := bareConn(b)
			insert, err := conn.PrepareContext(b.Context(), bareInsert)
			require.NoError(b, err)
			next := 0
			for b.Loop() {
				_, err := conn.ExecContext(b.Context(), "BEGIN IMMEDIATE")
				require.NoError(b, err)
				for range size {
					stream, version := fmt.Sprintf("5f0c2f5e-7c4f-4a53-9b3a-%012d", next%200), int64(next/200)
					next++
					e := benchEvent(stream, version)
					_, err = insert.ExecContext(context.Background(), next, e.Stream, e.Version, e.ID, e.Category,
						e.Type.Name, e.Type.Schema, e.Time.UnixMicro(), e.Data, e.Metadata.CorrelationID, e.Metadata.CausationID)
					require.NoError(b, err)
				}
				_, err = conn.ExecContext(b.Context(), "COMMIT")
				require.NoError(b, err)
			}
			b.ReportMetric(float64(b.N*size)/b.Elapsed().Seconds(), "events/s")
		})
	}
}

// bareConn opens a file with the event store's own tables and no store on it.
func bareConn(b *testing.B) *sql.Conn {
	b.Helper()
	path := filepath.Join(b.TempDir(), "events.db")
	store, err := sqlite.OpenEventStore(b.Context(), path)
	require.NoError(b, err)
	require.NoError(b, store.Close())
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)")
	require.NoError(b, err)
	b.Cleanup(func() { _ = db.Close() })
	conn, err := db.Conn(b.Context())
	require.NoError(b, err)
	return conn
}

func BenchmarkEventStore_ReadAll(b *testing.B) {
	store, err := sqlite.OpenEventStore(b.Context(), filepath.Join(b.TempDir(), "events.db"))
	require.NoError(b, err)
	defer store.Close()
	for i := range int64(10) {
		c := eventstore.Commit{Stream: "a", Expected: 1000*i - 1}
		for j := range int64(1000) {
			c.Events = append(c.Events, benchEvent("a", 1000*i+j))
		}
		_, err := store.Append(b.Context(), 1000*i+1, []eventstore.Commit{c})
		require.NoError(b, err)
	}
	read := 0
	for b.Loop() {
		page, err := store.ReadAll(b.Context(), int64(read%10000), 1000)
		require.NoError(b, err)
		read += len(page)
	}
	b.ReportMetric(float64(read)/b.Elapsed().Seconds(), "events/s")
}
