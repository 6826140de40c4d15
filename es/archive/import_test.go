package archive_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"passbook/engine/memory"
	"passbook/es/archive"
	"passbook/es/event"
	"passbook/es/eventstore"
)

// failing is a target that stops at the n-th call that writes, before or behind
// it.
type failing struct {
	archive.Target
	calls, at int
	behind    bool
}

var errPlanted = errors.New("planted")

func (f *failing) call(do func() error) error {
	f.calls++
	if f.calls == f.at && !f.behind {
		return errPlanted
	}
	if err := do(); err != nil {
		return err
	}
	if f.calls == f.at {
		return errPlanted
	}
	return nil
}

func (f *failing) BeginImport(ctx context.Context, source string) (head int64, err error) {
	err = f.call(func() error { head, err = f.Target.BeginImport(ctx, source); return err })
	return head, err
}

func (f *failing) ImportEvents(ctx context.Context, events []event.Envelope, keys []eventstore.KeyRecord) error {
	return f.call(func() error { return f.Target.ImportEvents(ctx, events, keys) })
}

func (f *failing) EndImport(ctx context.Context) (history string, err error) {
	err = f.call(func() error { history, err = f.Target.EndImport(ctx); return err })
	return history, err
}

// An import that stops anywhere leaves a store that is empty, refuses to be
// served, or is whole; and the same import again makes it whole.
func TestImport_StopsAnywhere(t *testing.T) {
	t.Parallel()
	eachEngine(t, func(t *testing.T, create func() engine) {
		source := memory.NewEventStore()
		small(t, source)
		want := read(t, source).imported()
		_, file := export(t, source)
		other := memory.NewEventStore()
		writeKeyed(t, other)
		_, otherFile := export(t, other)
		config := archive.ImportConfig{BatchEvents: 2}
		const calls = 5 // begin, three batches, end
		for at := 1; at <= calls; at++ {
			for _, behind := range []bool{false, true} {
				store := create()
				target := &failing{Target: store, at: at, behind: behind}
				_, err := archive.Import(t.Context(), target, bytes.NewReader(file), config)
				require.ErrorIs(t, err, errPlanted)
				if at == calls && behind { // it ended, and nobody was told
					requireNotEmpty(t, store, file)
					requireServed(t, store)
					continue
				}
				if at > 1 || behind {
					requireUnfinished(t, store, otherFile)
				}
				done, err := archive.Import(t.Context(), &failing{Target: store}, bytes.NewReader(file), config)
				require.NoError(t, err)
				require.Equal(t, min(int64(max(at-2, 0)*2)+resumed(at, behind), 5), done.Resumed, "call %d", at)
				require.Equal(t, want, read(t, store))
				requireServed(t, store)
				requireNotEmpty(t, store, file)
			}
		}
	})
}

// resumed is what the call that failed wrote all the same.
func resumed(at int, behind bool) int64 {
	if behind && at > 1 {
		return 2
	}
	return 0
}

func requireServed(t *testing.T, store engine) {
	t.Helper()
	_, err := eventstore.New(t.Context(), store, eventstore.Config{})
	require.NoError(t, err)
}

// requireUnfinished: an import is under way, so nobody serves or exports the
// store, gives it a history, or fills it with something else.
func requireUnfinished(t *testing.T, store engine, otherFile []byte) {
	t.Helper()
	_, err := eventstore.New(t.Context(), store, eventstore.Config{})
	require.ErrorIs(t, err, eventstore.ErrNoHistory)
	_, err = archive.Export(t.Context(), store, io.Discard, archive.ExportConfig{Now: now})
	require.ErrorIs(t, err, eventstore.ErrNoHistory)
	_, err = store.(eventstore.Renewer).Renew(t.Context())
	require.ErrorIs(t, err, eventstore.ErrNoHistory)
	_, err = archive.Import(t.Context(), store, bytes.NewReader(otherFile), archive.ImportConfig{})
	require.ErrorIs(t, err, eventstore.ErrOtherImport)
}

func requireNotEmpty(t *testing.T, store engine, file []byte) {
	t.Helper()
	before := read(t, store)
	_, err := archive.Import(t.Context(), store, bytes.NewReader(file), archive.ImportConfig{})
	require.ErrorIs(t, err, eventstore.ErrNotEmpty)
	require.Equal(t, before, read(t, store))
}

// What is written between the two readings of a file was not checked. The store
// must not become one that is served.
func TestImport_FileChangesMeanwhile(t *testing.T) {
	t.Parallel()
	file := smallFile(t)
	for _, c := range []struct{ old, replacement string }{
		{`"n":2`, `"n":9`}, {`"position":4`, `"position":5`}, {`"head":5`, `"head":4`},
	} {
		store := memory.NewEventStore()
		changing := &changingFile{Reader: bytes.NewReader(file), then: sealed(string(bytes.Replace(file, []byte(c.old), []byte(c.replacement), 1)))}
		_, err := archive.Import(t.Context(), store, changing, archive.ImportConfig{})
		require.ErrorContains(t, err, "the file was changed")
		_, err = store.History(t.Context())
		require.ErrorIs(t, err, eventstore.ErrNoHistory)
	}
}

type changingFile struct {
	*bytes.Reader
	then []byte
}

func (f *changingFile) Seek(offset int64, whence int) (int64, error) {
	f.Reset(f.then)
	return f.Reader.Seek(offset, whence)
}

func TestImport_EmptyStore(t *testing.T) {
	t.Parallel()
	eachEngine(t, func(t *testing.T, create func() engine) {
		summary, file := export(t, create())
		require.Zero(t, summary.Events)
		store := create()
		before, err := store.History(t.Context())
		require.NoError(t, err)
		done := importInto(t, store, file)
		require.NotEqual(t, before, done.NewHistory)
		requireServed(t, store)
	})
}

// Who waits for a large import sees both halves of it go on.
func TestImport_Progress(t *testing.T) {
	t.Parallel()
	var checking, writing []int64
	note := func(list *[]int64) func(done, total int64) {
		return func(done, total int64) {
			require.Equal(t, int64(5), total)
			*list = append(*list, done)
		}
	}
	_, err := archive.Import(t.Context(), memory.NewEventStore(), bytes.NewReader(smallFile(t)),
		archive.ImportConfig{Checking: note(&checking), Writing: note(&writing), BatchEvents: 2})
	require.NoError(t, err)
	require.Equal(t, []int64{5}, checking)
	require.Equal(t, []int64{2, 4, 5}, writing)
}

// Two clients may have keys that read the same when they are written one behind
// the other.
func TestImport_KeysOfTwoClients(t *testing.T) {
	t.Parallel()
	first, second := memory.NewEventStore(), memory.NewEventStore()
	for stream, key := range map[string]event.Key{"a": {Client: "x", Value: "yz"}, "b": {Client: "xy", Value: "z"}, "c": {Client: "x\x00y", Value: "z"}, "d": {Client: "x", Value: "y\x00z"}} {
		put(t, first, eventstore.Commit{Stream: stream, Expected: event.NoVersion, Events: []event.Envelope{happened(stream, 0)}, Key: key})
	}
	_, file := export(t, first)
	require.Equal(t, int64(4), importInto(t, second, file).Keys)
}
