package archive_test

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"passbook/engine/memory"
	"passbook/engine/sqlite"
	"passbook/es/archive"
	"passbook/es/event"
	"passbook/es/eventstore"
)

// engine is a store that can go both ways.
type engine interface {
	archive.Source
	archive.Target
}

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// tester is what *testing.T and *rapid.T have in common here.
type tester interface {
	require.TestingT
	Helper()
}

func newSQLite(t *testing.T, path string) *sqlite.EventStore {
	t.Helper()
	store, err := sqlite.OpenEventStore(t.Context(), path)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	return store
}

// eachEngine runs a test on every technology.
func eachEngine(t *testing.T, test func(t *testing.T, create func() engine)) {
	t.Run("Memory", func(t *testing.T) {
		t.Parallel()
		test(t, func() engine { return memory.NewEventStore() })
	})
	t.Run("SQLite", func(t *testing.T) {
		t.Parallel()
		n := 0
		dir := t.TempDir()
		test(t, func() engine {
			n++
			return newSQLite(t, filepath.Join(dir, fmt.Sprintf("%d.db", n)))
		})
	})
}

// put appends a commit at the head.
func put(t tester, store engine, c eventstore.Commit) {
	t.Helper()
	head, err := store.Head(context.Background())
	require.NoError(t, err)
	outcomes, err := store.Append(context.Background(), head+1, []eventstore.Commit{c})
	require.NoError(t, err)
	require.Equal(t, eventstore.Written, outcomes[0].State, "%+v", outcomes[0])
}

// happened returns a plain event.
func happened(stream string, version int64) event.Envelope {
	return event.Envelope{
		ID: event.NewID(), Stream: stream, Category: "thing", Version: version,
		Type: event.Type{Name: "test.thing.happened", Schema: 1}, Time: now,
		Data: fmt.Appendf(nil, `{"n":%d}`, version),
	}
}

// small fills a store with a history that has a bit of everything.
func small(t tester, store engine) {
	t.Helper()
	odd := happened("ä/\xff", 0)
	odd.Data, odd.Metadata = []byte("no JSON \x00"), event.Metadata{CorrelationID: "c", CausationID: "<d>", Actor: "me", TraceParent: "00-1-2-01"}
	put(t, store, eventstore.Commit{Stream: "a", Expected: event.NoVersion, Events: []event.Envelope{happened("a", 0), happened("a", 1)}})
	put(t, store, eventstore.Commit{
		Stream: odd.Stream, Expected: event.NoVersion, Events: []event.Envelope{odd},
		Key: event.Key{Client: "me", Value: "k"}, RequestHash: []byte{1, 2}, Result: []byte(`{"ok": true}`),
	})
	put(t, store, eventstore.Commit{
		Stream: "a", Expected: 1, Events: []event.Envelope{happened("a", 2), happened("a", 3)},
		Key: event.Key{Value: "k"}, RequestHash: []byte{3},
	})
}

func export(t tester, store archive.Source) (archive.Summary, []byte) {
	t.Helper()
	var file bytes.Buffer
	summary, err := archive.Export(context.Background(), store, &file, archive.ExportConfig{Program: "test", Now: now})
	require.NoError(t, err)
	return summary, file.Bytes()
}

func importInto(t tester, store archive.Target, file []byte) archive.Imported {
	t.Helper()
	imported, err := archive.Import(context.Background(), store, bytes.NewReader(file), archive.ImportConfig{})
	require.NoError(t, err)
	return imported
}

// content is everything that a store holds.
type content struct {
	events []event.Envelope
	keys   []eventstore.KeyRecord
}

func read(t tester, store engine) (all content) {
	t.Helper()
	var err error
	all.events, err = store.ReadAll(context.Background(), 0, 1<<20)
	require.NoError(t, err)
	for i := range all.events {
		all.events[i].Data = append([]byte{}, all.events[i].Data...) // nothing is nothing, nil or not
	}
	for record, err := range store.Keys(context.Background(), 1<<40) {
		require.NoError(t, err)
		record.RequestHash, record.Result = append([]byte{}, record.RequestHash...), append([]byte{}, record.Result...)
		all.keys = append(all.keys, record)
	}
	return all
}

// imported returns a copy in which each event is marked.
func (c content) imported() content {
	c.events = slices.Clone(c.events)
	for i := range c.events {
		c.events[i].Metadata.Imported = true
	}
	return c
}

var (
	anyText = rapid.OneOf(rapid.String(), rapid.Map(rapid.SliceOfN(rapid.Byte(), 0, 40), func(b []byte) string { return string(b) }),
		rapid.SampledFrom([]string{"", "a", "<&>\u2028\"\\", "{\"base64\":\"\"}", "\x00", "null"}))
	someText = rapid.Map(anyText, func(s string) string { return "x" + s })
	anyBytes = rapid.OneOf(rapid.SliceOf(rapid.Byte()), rapid.Map(anyText, func(s string) []byte { return []byte(s) }),
		rapid.SampledFrom([][]byte{
			[]byte(`{"a":1,"a":2, "b":1e400}`), []byte("{\"a\":\n1}"), []byte(` {}`), []byte(`{} `), []byte("{}\t"), []byte("{}\n"), []byte("null"), []byte(`"\u00e9"`),
			[]byte("\"\xff\""), []byte("-0.0"), []byte(`"<>&"`), []byte("\"\u2028\""), []byte(`{"dataBase64":"AA=="}`),
			bytes.Repeat([]byte("["), 20000), append(bytes.Repeat([]byte("["), 9999), bytes.Repeat([]byte("]"), 9999)...),
			append(append([]byte(`"`), bytes.Repeat([]byte("x"), 70_000)...), '"'),
		}))
)

// randomHistory fills a store with commits of every kind.
func randomHistory(t *rapid.T, store engine) {
	streams := []string{"s", "S", "s " + anyText.Draw(t, "stream")}
	versions := make(map[string]int64)
	for i := range rapid.IntRange(0, 6).Draw(t, "commits") {
		stream := rapid.SampledFrom(streams).Draw(t, "which")
		if _, ok := versions[stream]; !ok {
			versions[stream] = event.NoVersion
		}
		c := eventstore.Commit{Stream: stream, Expected: versions[stream]}
		for range rapid.IntRange(1, 3).Draw(t, "events") {
			e := happened(stream, versions[stream]+1)
			e.Category, e.Type.Name, e.Type.Schema = anyText.Draw(t, "category"), someText.Draw(t, "type"), rapid.IntRange(1, 9).Draw(t, "schema")
			e.Time = time.UnixMicro(rapid.Int64Range(-1<<53, 1<<53).Draw(t, "time")).UTC()
			e.Data = anyBytes.Draw(t, "data")
			e.Metadata = event.Metadata{
				CorrelationID: anyText.Draw(t, "correlation"), CausationID: anyText.Draw(t, "causation"),
				Actor: event.Actor(anyText.Draw(t, "actor")), TraceParent: anyText.Draw(t, "trace"), Imported: rapid.Bool().Draw(t, "imported"),
			}
			c.Events = append(c.Events, e)
			versions[stream]++
		}
		if rapid.Bool().Draw(t, "keyed") {
			c.Key = event.Key{Client: anyText.Draw(t, "client"), Value: strconv.Itoa(i) + anyText.Draw(t, "key")}
			c.RequestHash, c.Result = anyBytes.Draw(t, "hash"), anyBytes.Draw(t, "result")
			if len(c.Result) > 60_000 {
				c.Result = c.Result[:60_000]
			}
		}
		if c.Validate() == nil {
			put(t, store, c)
		} else {
			versions[stream] = c.Expected
		}
	}
}
