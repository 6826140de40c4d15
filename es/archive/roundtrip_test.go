package archive_test

import (
	"bytes"
	"context"
	"database/sql"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"passbook/engine/memory"
	"passbook/engine/sqlite"
	"passbook/es/archive"
	"passbook/es/event"
	"passbook/es/eventstore"
)

// What an import loses or changes would be lost for ever: a store that came out
// of a file holds what the first one held, but for the marks.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	eachEngine(t, func(t *testing.T, create func() engine) {
		rapid.Check(t, func(t *rapid.T) {
			first, second, third := memory.NewEventStore(), create(), memory.NewEventStore()
			randomHistory(t, first)
			before := read(t, first)
			_, file := export(t, first)
			require.True(t, utf8.Valid(file), "the file is text")
			done := importInto(t, second, file)
			require.Equal(t, before.imported(), read(t, second))
			require.Equal(t, int64(len(before.events)), done.Events)
			require.Equal(t, int64(len(before.keys)), done.Keys)
			history, err := second.History(context.Background())
			require.NoError(t, err)
			require.Equal(t, done.NewHistory, history)
			require.NotEqual(t, done.History, history)

			_, again := export(t, second)
			importInto(t, third, again)
			_, last := export(t, third)
			requireSameLines(t, marked(file), again)
			requireSameLines(t, again, last)
		})
	})
}

// marked returns the file with every event marked as imported, as text.
func marked(file []byte) []byte {
	lines := strings.Split(string(file), "\n")
	for i, line := range lines {
		if data := strings.Index(line, `,"data`); strings.HasPrefix(line, `{"position":`) && !strings.Contains(line[:data], `,"imported":true`) {
			lines[i] = line[:data] + `,"imported":true` + line[data:]
		}
	}
	return []byte(strings.Join(lines, "\n"))
}

// requireSameLines: two files are the same to the byte, but for the history id
// and for the checksum, which is over that too.
func requireSameLines(t tester, want, got []byte) {
	t.Helper()
	a, b := strings.Split(string(want), "\n"), strings.Split(string(got), "\n")
	require.Len(t, b, len(a))
	const id = len(`{"passbook":"events","format":1,"history":"`)
	uuid := len(event.NewID())
	for _, lines := range [][]string{a, b} {
		lines[0] = lines[0][:id] + lines[0][id+uuid:]
		lines[len(lines)-2], _, _ = strings.Cut(lines[len(lines)-2], `"sha256":`)
	}
	for i := range a {
		if a[i] != b[i] { // some lines are long
			require.Fail(t, "lines differ", "line %d:\n%.300q\n%.300q", i+1, a[i], b[i])
		}
	}
}

// The keys come over with what they found: a client that repeats a request
// after the import gets the first result.
func TestImport_KeysAnswerAsBefore(t *testing.T) {
	t.Parallel()
	eachEngine(t, func(t *testing.T, create func() engine) {
		first, second := create(), create()
		small(t, first)
		_, file := export(t, first)
		importInto(t, second, file)
		for _, key := range []event.Key{{Client: "me", Value: "k"}, {Value: "k"}} {
			want, err := first.FindKey(t.Context(), key)
			require.NoError(t, err)
			got, err := second.FindKey(t.Context(), key)
			require.NoError(t, err)
			require.Equal(t, string(want.Result), string(got.Result))
			require.Equal(t, want.RequestHash, got.RequestHash)
			require.Equal(t, []any{want.Stream, want.Version, want.Position}, []any{got.Stream, got.Version, got.Position})

			again := eventstore.Commit{Stream: "new", Expected: event.NoVersion, Events: []event.Envelope{happened("new", 0)}, Key: key}
			outcomes, err := second.Append(t.Context(), 6, []eventstore.Commit{again})
			require.NoError(t, err)
			require.Equal(t, eventstore.KeyTaken, outcomes[0].State)
		}
		put(t, second, eventstore.Commit{Stream: "a", Expected: 3, Events: []event.Envelope{happened("a", 4)}})
		head, err := second.Head(t.Context())
		require.NoError(t, err)
		require.Equal(t, int64(6), head)
	})
}

// The file is of one moment, whatever is written beside: a whole run of
// positions up to the head of its beginning, with exactly the keys of those.
func TestExport_BesideAWriter(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "events.db")
	store := newSQLite(t, path)
	for range 3 {
		writeKeyed(t, store)
	}
	reader, err := sqlite.OpenEventStoreReadOnly(t.Context(), path)
	require.NoError(t, err)
	defer func() { require.NoError(t, reader.Close()) }()
	for range 20 {
		head, err := reader.Head(t.Context())
		require.NoError(t, err)
		var file bytes.Buffer
		beside := writerFunc(func(b []byte) (int, error) {
			writeKeyed(t, store) // between the reads: the head moves on
			return file.Write(b)
		})
		summary, err := archive.Export(t.Context(), beforeEachRead{reader, func() { writeKeyed(t, store) }}, beside,
			archive.ExportConfig{Program: "test", Now: now})
		require.NoError(t, err)
		require.Equal(t, head, summary.Events)
		require.Equal(t, head/2, summary.Keys)
		target := memory.NewEventStore()
		importInto(t, target, file.Bytes())
		moved, err := reader.Head(t.Context())
		require.NoError(t, err)
		require.Greater(t, moved, head, "the writer did write")
	}
}

func writeKeyed(t tester, store engine) {
	id := event.NewID()
	put(t, store, eventstore.Commit{
		Stream: id, Expected: event.NoVersion, Events: []event.Envelope{happened(id, 0), happened(id, 1)}, Key: event.Key{Value: id},
	})
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(b []byte) (int, error) { return f(b) }

// beforeEachRead calls a function before events are read.
type beforeEachRead struct {
	archive.Source
	call func()
}

func (s beforeEachRead) ReadAll(ctx context.Context, after int64, limit int) ([]event.Envelope, error) {
	s.call()
	return s.Source.ReadAll(ctx, after, limit)
}

// A long export must not hold up the carrying over of the write-ahead log: while
// the reader stands in the middle of the store, the log can be emptied, as soon as
// the page is there that is read ahead.
func TestExport_LetsTheLogGo(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "events.db")
	store := newSQLite(t, path)
	for range 600 { // more than a page of events
		writeKeyed(t, store)
	}
	reader, err := sqlite.OpenEventStoreReadOnly(t.Context(), path)
	require.NoError(t, err)
	defer func() { require.NoError(t, reader.Close()) }()
	shell, err := sql.Open("sqlite", path)
	require.NoError(t, err)
	defer func() { require.NoError(t, shell.Close()) }()
	looks := 0
	_, err = archive.Export(t.Context(), reader, io.Discard, archive.ExportConfig{Now: now, Progress: func(int64, int64) {
		looks++
		writeKeyed(t, store)
		require.Eventually(t, func() bool {
			var busy, pages, carried int
			err := shell.QueryRowContext(t.Context(), "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &pages, &carried)
			return err == nil && busy == 0
		}, 10*time.Second, time.Millisecond, "a reader keeps the log")
	}})
	require.NoError(t, err)
	require.Greater(t, looks, 2)
}
