package eventstoretest_test

import (
	"context"
	"fmt"
	"iter"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"passbook/engine/memory"
	"passbook/es/event"
	"passbook/es/eventstore"
	"passbook/es/eventstore/eventstoretest"
)

// fault is one way in which an engine can break the contract, and the case of
// the suite that has to fail for it.
type fault struct {
	name   string
	caught string
	plant  func(*broken)
}

// broken is a good engine with hooks for a fault in each of its methods.
type broken struct {
	*memory.EventStore
	append        func(ctx context.Context, first int64, group []eventstore.Commit) ([]eventstore.Outcome, error)
	readAll       func(ctx context.Context, after int64, limit int) ([]event.Envelope, error)
	readStream    func(ctx context.Context, stream string, from int64, limit int) ([]event.Envelope, error)
	head          func(ctx context.Context) (int64, error)
	streamVersion func(ctx context.Context, stream string) (int64, error)
	findKey       func(ctx context.Context, key event.Key) (eventstore.KeyRecord, error)
	saveSnapshot  func(ctx context.Context, snapshot eventstore.Snapshot) error
	loadSnapshot  func(ctx context.Context, stream string) (eventstore.Snapshot, error)
	history       func(ctx context.Context) (string, error)
	keys          func(ctx context.Context, upTo int64) iter.Seq2[eventstore.KeyRecord, error]
	renew         func(ctx context.Context) (string, error)
	beginImport   func(ctx context.Context, source string) (int64, error)
	importEvents  func(ctx context.Context, events []event.Envelope, keys []eventstore.KeyRecord) error
	endImport     func(ctx context.Context) (string, error)
	reopened      func()
}

func newBroken(plant func(*broken)) *broken {
	inner := memory.NewEventStore()
	b := &broken{
		EventStore: inner,
		append:     inner.Append, readAll: inner.ReadAll, readStream: inner.ReadStream,
		head: inner.Head, streamVersion: inner.StreamVersion, findKey: inner.FindKey,
		saveSnapshot: inner.SaveSnapshot, loadSnapshot: inner.LoadSnapshot, history: inner.History,
		keys: inner.Keys, renew: inner.Renew,
		beginImport: inner.BeginImport, importEvents: inner.ImportEvents, endImport: inner.EndImport,
		reopened: func() {},
	}
	plant(b)
	return b
}

func (b *broken) Append(ctx context.Context, first int64, group []eventstore.Commit) ([]eventstore.Outcome, error) {
	return b.append(ctx, first, group)
}

func (b *broken) ReadAll(ctx context.Context, after int64, limit int) ([]event.Envelope, error) {
	return b.readAll(ctx, after, limit)
}

func (b *broken) ReadStream(ctx context.Context, stream string, from int64, limit int) ([]event.Envelope, error) {
	return b.readStream(ctx, stream, from, limit)
}

func (b *broken) Head(ctx context.Context) (int64, error) { return b.head(ctx) }

func (b *broken) StreamVersion(ctx context.Context, stream string) (int64, error) {
	return b.streamVersion(ctx, stream)
}

func (b *broken) FindKey(ctx context.Context, key event.Key) (eventstore.KeyRecord, error) {
	return b.findKey(ctx, key)
}

func (b *broken) SaveSnapshot(ctx context.Context, snapshot eventstore.Snapshot) error {
	return b.saveSnapshot(ctx, snapshot)
}

func (b *broken) LoadSnapshot(ctx context.Context, stream string) (eventstore.Snapshot, error) {
	return b.loadSnapshot(ctx, stream)
}

func (b *broken) History(ctx context.Context) (string, error) { return b.history(ctx) }

func (b *broken) Keys(ctx context.Context, upTo int64) iter.Seq2[eventstore.KeyRecord, error] {
	return b.keys(ctx, upTo)
}

func (b *broken) Renew(ctx context.Context) (string, error) { return b.renew(ctx) }

func (b *broken) BeginImport(ctx context.Context, source string) (int64, error) {
	return b.beginImport(ctx, source)
}

func (b *broken) ImportEvents(ctx context.Context, events []event.Envelope, keys []eventstore.KeyRecord) error {
	return b.importEvents(ctx, events, keys)
}

func (b *broken) EndImport(ctx context.Context) (string, error) { return b.endImport(ctx) }

func (b *broken) Features() eventstore.Features { return eventstore.Features{SharedWriters: true} }

// technology makes stores with the fault. They can be opened again, so that no
// case of the suite is left out.
func technology(plant func(*broken)) eventstoretest.Technology {
	return eventstoretest.Technology{
		Reopens: true,
		Create: func(eventstoretest.TB) eventstoretest.Open {
			b, closed := newBroken(plant), false
			return func(context.Context) (eventstore.Engine, func() error, error) {
				if closed {
					b.reopened()
				}
				return b, func() error { closed = true; return nil }, nil
			}
		},
	}
}

// recorder stands in for testing.TB, to see a case fail.
type recorder struct {
	t *testing.T

	mu       sync.Mutex
	failures []string
	skipped  bool
	cleanups []func()
}

func (r *recorder) Helper()                  {}
func (r *recorder) Context() context.Context { return r.t.Context() }
func (r *recorder) TempDir() string          { return r.t.TempDir() }
func (r *recorder) Logf(string, ...any)      {}
func (r *recorder) FailNow()                 { runtime.Goexit() }

func (r *recorder) Cleanup(cleanup func()) { r.cleanups = append(r.cleanups, cleanup) }

func (r *recorder) Errorf(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failures = append(r.failures, fmt.Sprintf(format, args...))
}

func (r *recorder) Skipf(string, ...any) {
	r.skipped = true
	runtime.Goexit()
}

// failures runs a case and returns what it had to say. A case that ends itself
// ends its goroutine.
func failures(t *testing.T, c eventstoretest.Case, technology eventstoretest.Technology) []string {
	t.Helper()
	r := &recorder{t: t}
	inGoroutine(func() { c.Run(r, technology) })
	for _, v := range slices.Backward(r.cleanups) {
		inGoroutine(v)
	}
	require.False(t, r.skipped, "%s was skipped", c)
	return r.failures
}

func inGoroutine(run func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		run()
	}()
	<-done
}

func faults() []fault {
	var all []fault
	for _, area := range [][]fault{
		appendFaults(), groupFaults(), atomicFaults(), keyFaults(), resendFaults(),
		readingFaults(), envelopeFaults(), snapshotFaults(), raceFaults(), reopenFaults(),
		archiveFaults(), importFaults(),
	} {
		all = append(all, area...)
	}
	return all
}

func TestFaultsAreCaught(t *testing.T) {
	t.Parallel()
	cases := make(map[string]eventstoretest.Case)
	for _, c := range eventstoretest.Cases() {
		cases[c.String()] = c
	}
	for _, f := range faults() {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			c, ok := cases[f.caught]
			require.True(t, ok, "the suite has no case %q", f.caught)
			found := failures(t, c, technology(f.plant))
			require.NotEmpty(t, found, "case %q passes", f.caught)
			t.Log(strings.Join(strings.Fields(found[0]), " "))
		})
	}
}

// TestEveryCaseCatchesAFault: a case that no engine can fail tests nothing.
func TestEveryCaseCatchesAFault(t *testing.T) {
	t.Parallel()
	named := make(map[string]bool)
	for _, f := range faults() {
		named[f.caught] = true
	}
	for _, c := range eventstoretest.Cases() {
		require.True(t, named[c.String()], "no fault is planted for case %q", c)
	}
}

// TestGoodEngineFailsNothing: or the faults above would prove nothing.
func TestGoodEngineFailsNothing(t *testing.T) {
	t.Parallel()
	for _, c := range eventstoretest.Cases() {
		t.Run(c.String(), func(t *testing.T) {
			t.Parallel()
			require.Empty(t, failures(t, c, technology(func(*broken) {})))
		})
	}
}
