package eventstoretest

import (
	"context"

	"github.com/stretchr/testify/require"

	"passbook/es/event"
	"passbook/es/eventstore"
)

// scene is what a case works with. Its methods end the case when the engine
// does what it must not.
type scene struct {
	TB
	ctx    context.Context //nolint:containedctx // it lasts as long as the case
	create func(TB) Open
	open   Open
	engine eventstore.Engine
	stop   func() error
}

// start opens the store.
func (s *scene) start() {
	s.Helper()
	s.engine, s.stop = s.another(s.open)
}

// another opens a store, and closes it with the case unless that was done.
func (s *scene) another(open Open) (eventstore.Engine, func() error) {
	s.Helper()
	engine, closeEngine, err := open(s.ctx)
	require.NoError(s, err, "open")
	closed := false
	stop := func() error {
		if closed {
			return nil
		}
		closed = true
		return closeEngine()
	}
	s.Cleanup(func() { require.NoError(s, stop(), "close") })
	return engine, stop
}

// reopen closes the store and opens it again.
func (s *scene) reopen() {
	s.Helper()
	require.NoError(s, s.stop(), "close")
	s.start()
}

// append hands a group to the engine, which has to answer without an error.
func (s *scene) append(first int64, group ...eventstore.Commit) []eventstore.Outcome {
	s.Helper()
	outcomes, err := s.engine.Append(s.ctx, first, group)
	require.NoError(s, err, "append at position %d", first)
	require.Len(s, outcomes, len(group), "one outcome for each commit")
	for i := 1; i < len(outcomes); i++ {
		behind := outcomes[i].State == eventstore.Written && outcomes[i-1].State != eventstore.Written
		require.False(s, behind, "commit %d is written behind one that is not", i)
	}
	return outcomes
}

// write appends a group at the head; all of it has to be written. It returns
// the envelopes as they are to be read.
func (s *scene) write(group ...eventstore.Commit) []event.Envelope {
	s.Helper()
	next := s.head() + 1
	var stored []event.Envelope
	for i, outcome := range s.append(next, group...) {
		require.Equal(s, eventstore.Written, outcome.State, "commit %d: %+v", i, outcome)
		if len(group[i].Events) == 0 {
			continue
		}
		require.Equal(s, next, outcome.Position, "position of commit %d", i)
		stored = append(stored, placed(group[i], next)...)
		next += int64(len(group[i].Events))
	}
	return stored
}

// refused appends one commit at the head, which must not be written, and
// returns its outcome. The store has to be as it was.
func (s *scene) refused(c eventstore.Commit) eventstore.Outcome {
	s.Helper()
	before := s.all()
	outcome := s.append(s.head()+1, c)[0]
	require.NotEqual(s, eventstore.Written, outcome.State, "the commit was written")
	requireSame(s, before, s.all())
	return outcome
}

func (s *scene) head() int64 {
	s.Helper()
	position, err := s.engine.Head(s.ctx)
	require.NoError(s, err, "read head")
	return position
}

func (s *scene) version(stream string) int64 {
	s.Helper()
	version, err := s.engine.StreamVersion(s.ctx, stream)
	require.NoError(s, err, "read version of %q", stream)
	return version
}

// all returns the store's events, read in pages.
func (s *scene) all() []event.Envelope {
	s.Helper()
	return s.pages(func(read int) ([]event.Envelope, error) {
		return s.engine.ReadAll(s.ctx, int64(read), pageSize)
	})
}

// stream returns a stream's events, read in pages.
func (s *scene) stream(name string) []event.Envelope {
	s.Helper()
	return s.pages(func(read int) ([]event.Envelope, error) {
		return s.engine.ReadStream(s.ctx, name, int64(read), pageSize)
	})
}

const (
	pageSize  = 100
	eventsMax = 50_000 // more than any case writes
)

func (s *scene) pages(read func(count int) ([]event.Envelope, error)) []event.Envelope {
	s.Helper()
	var all []event.Envelope
	for {
		page, err := read(len(all))
		require.NoError(s, err, "read on after %d events", len(all))
		require.LessOrEqual(s, len(page), pageSize, "more events than were asked for")
		all = append(all, page...)
		if len(page) < pageSize && payloadBytes(page) < eventstore.PageBytes { // a page of the store may be full before
			return all
		}
		require.Less(s, len(all), eventsMax, "the pages do not end")
	}
}

func payloadBytes(page []event.Envelope) (bytes int) {
	for _, e := range page {
		bytes += len(e.Data)
	}
	return bytes
}

// sound checks what holds of every store at every time.
func (s *scene) sound() {
	s.Helper()
	all := s.all()
	require.Equal(s, int64(len(all)), s.head(), "the head is the last position")
	streams := make(map[string][]event.Envelope)
	ids := make(map[string]bool)
	for i, e := range all {
		require.Equal(s, int64(i+1), e.Position, "positions run 1, 2, 3 … in the order of reading")
		require.Equal(s, int64(len(streams[e.Stream])), e.Version, "versions of %q run 0, 1, 2 …", e.Stream)
		require.False(s, ids[e.ID], "event id %s is there twice", e.ID)
		ids[e.ID] = true
		streams[e.Stream] = append(streams[e.Stream], e)
	}
	for name, events := range streams {
		requireSame(s, events, s.stream(name))
		require.Equal(s, int64(len(events))-1, s.version(name), "version of %q", name)
	}
}

// key returns what is kept under a key.
func (s *scene) key(key event.Key) eventstore.KeyRecord {
	s.Helper()
	record, err := s.engine.FindKey(s.ctx, key)
	require.NoError(s, err, "find key %+v", key)
	return record
}

func (s *scene) noKey(key event.Key) {
	s.Helper()
	_, err := s.engine.FindKey(s.ctx, key)
	require.ErrorIs(s, err, eventstore.ErrKeyNotFound, "key %+v", key)
}
