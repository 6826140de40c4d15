package eventstoretest

import (
	"bytes"
	"fmt"

	"github.com/stretchr/testify/require"

	"passbook/es/event"
	"passbook/es/eventstore"
)

func snapshotCases() []Case {
	return []Case{
		{Name: "none", run: noSnapshot},
		{Name: "comes back", run: snapshotComesBack},
		{Name: "replaces the earlier one", run: snapshotReplaces},
		{Name: "each stream has its own", run: snapshotPerStream},
		{Name: "is no event", run: snapshotIsNoEvent},
	}
}

func (s *scene) save(snapshot eventstore.Snapshot) {
	s.Helper()
	require.NoError(s, s.engine.SaveSnapshot(s.ctx, snapshot), "save snapshot")
}

func (s *scene) requireSnapshot(want eventstore.Snapshot) {
	s.Helper()
	got, err := s.engine.LoadSnapshot(s.ctx, want.Stream)
	require.NoError(s, err, "load snapshot")
	require.True(s, bytes.Equal(want.Data, got.Data), "state: want %.100q, got %.100q", want.Data, got.Data)
	want.Data, got.Data = nil, nil
	require.Equal(s, want, got)
}

func snapshotOf(e event.Envelope, data string) eventstore.Snapshot {
	return eventstore.Snapshot{
		Stream: e.Stream, Version: e.Version, EventID: e.ID, Schema: 3, Data: []byte(data),
	}
}

func noSnapshot(s *scene) {
	s.write(opening("a", 1))
	for _, stream := range []string{"a", "unknown"} {
		_, err := s.engine.LoadSnapshot(s.ctx, stream)
		require.ErrorIs(s, err, eventstore.ErrNoSnapshot)
	}
}

func snapshotComesBack(s *scene) {
	events := s.write(opening("a", 2))
	for _, data := range []string{`{"balance": 1 }`, "", "\x00\xff no JSON", string(bytes.Repeat([]byte("x"), 300_000))} {
		snapshot := snapshotOf(events[1], data)
		s.save(snapshot)
		s.requireSnapshot(snapshot)
	}
}

func snapshotReplaces(s *scene) {
	events := s.write(opening("a", 3))
	for _, at := range []int{0, 2, 1, 1} { // also by an older one: what it says is not judged
		snapshot := snapshotOf(events[at], fmt.Sprintf(`{"at":%d}`, at))
		snapshot.Schema = at + 1
		s.save(snapshot)
		s.requireSnapshot(snapshot)
	}
}

func snapshotPerStream(s *scene) {
	events := s.write(opening("a", 1), opening("A", 1), opening("b", 1))
	for _, e := range events {
		s.save(snapshotOf(e, e.Stream))
	}
	for _, e := range events {
		s.requireSnapshot(snapshotOf(e, e.Stream))
	}
}

func snapshotIsNoEvent(s *scene) {
	events := s.write(opening("a", 2))
	s.save(snapshotOf(events[1], "{}"))
	s.save(eventstore.Snapshot{Stream: "other", Version: 7, EventID: "of another history", Schema: 1})
	requireSame(s, events, s.all())
	require.Equal(s, event.NoVersion, s.version("other"))
	s.write(commit("a", 1, 1), opening("other", 1))
}
