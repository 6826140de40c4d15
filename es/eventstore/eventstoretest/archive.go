package eventstoretest

import (
	"github.com/stretchr/testify/require"

	"passbook/es/event"
	"passbook/es/eventstore"
)

// archiveCases are about what an engine may offer beside Engine: they are
// skipped where it does not.
func archiveCases() []Case {
	return []Case{
		{Name: "keys in order", run: keysInOrder},
		{Name: "many keys", run: manyKeys},
		{Name: "new history", run: renewed},
		{Name: "new history stays", reopens: true, run: renewedStays},
		{Name: "import brings everything", run: importWhole},
		{Name: "import goes on", reopens: true, run: importGoesOn},
		{Name: "import is one batch or none of it", run: importAtomic},
		{Name: "import needs an empty store", run: importIntoFilled},
		{Name: "no import under way", run: noImport},
	}
}

// offers returns what the engine offers beside Engine.
func offers[T any](s *scene) T {
	s.Helper()
	engine, ok := s.engine.(T)
	if !ok {
		s.Skipf("the engine does not offer this")
	}
	return engine
}

func (s *scene) keys(upTo int64) (records []eventstore.KeyRecord) {
	s.Helper()
	for record, err := range offers[eventstore.KeySource](s).Keys(s.ctx, upTo) {
		require.NoError(s, err, "list keys up to %d", upTo)
		records = append(records, record)
	}
	return records
}

func keysInOrder(s *scene) {
	require.Empty(s, s.keys(100))
	one, two, three := keyed(opening("z", 2), "me", "z"), keyed(opening("b", 1), "you", "z"), keyed(opening("a", 3), "", "a")
	s.write(one, opening("no key", 1), two)
	s.write(three)
	want := []eventstore.KeyRecord{record(one, 2), record(two, 4), record(three, 7)}
	require.Equal(s, want, s.keys(7))
	require.Equal(s, want, s.keys(100))
	require.Equal(s, want[:2], s.keys(6))
	require.Equal(s, want[:1], s.keys(2))
	require.Empty(s, s.keys(1))
	for record, err := range offers[eventstore.KeySource](s).Keys(s.ctx, 7) {
		require.NoError(s, err)
		require.Equal(s, want[0], record)
		break // nothing is left open
	}
	s.write(keyed(commit("z", 1, 1), "me", "later"))
	require.Equal(s, want, s.keys(7), "what is written later stands behind")
}

// manyKeys are more than an engine may want to read at once.
func manyKeys(s *scene) {
	var want []eventstore.KeyRecord
	for i := range int64(25) {
		var group []eventstore.Commit
		for j := range int64(100) {
			c := keyed(opening(event.NewID(), 1), "me", event.NewID())
			want = append(want, record(c, 100*i+j+1))
			group = append(group, c)
		}
		s.write(group...)
	}
	got := s.keys(2500)
	require.Len(s, got, len(want))
	for i := range want {
		require.Equal(s, want[i], got[i])
	}
}

func (s *scene) history() string {
	s.Helper()
	history, err := s.engine.History(s.ctx)
	require.NoError(s, err, "history id")
	require.NotEmpty(s, history)
	return history
}

func renewed(s *scene) {
	c := keyed(opening("a", 2), "me", "k")
	events, before := s.write(c), s.history()
	after, err := offers[eventstore.Renewer](s).Renew(s.ctx)
	require.NoError(s, err)
	require.NotEqual(s, before, after)
	require.Equal(s, after, s.history())
	again, err := offers[eventstore.Renewer](s).Renew(s.ctx)
	require.NoError(s, err)
	require.NotEqual(s, after, again)
	requireSame(s, events, s.all())
	require.Equal(s, record(c, 2), s.key(c.Key))
	s.write(commit("a", 1, 1))
}

func renewedStays(s *scene) {
	s.write(opening("a", 1))
	after, err := offers[eventstore.Renewer](s).Renew(s.ctx)
	require.NoError(s, err)
	s.reopen()
	require.Equal(s, after, s.history())
}

// foreign is a history to import: three events of two streams, and a key.
func foreign() (events []event.Envelope, keys []eventstore.KeyRecord) {
	a, b := opening("a", 2), keyed(opening("b", 1), "me", "k")
	events = append(placed(a, 1), placed(b, 3)...)
	for i := range events {
		events[i].Metadata.Imported = true
	}
	return events, []eventstore.KeyRecord{record(b, 3)}
}

func (s *scene) requireNoHistory() {
	s.Helper()
	_, err := s.engine.History(s.ctx)
	require.ErrorIs(s, err, eventstore.ErrNoHistory)
}

func (s *scene) beginImport(source string, head int64) {
	s.Helper()
	at, err := offers[eventstore.Filler](s).BeginImport(s.ctx, source)
	require.NoError(s, err, "begin import of %s", source)
	require.Equal(s, head, at, "head of the import")
}

func importWhole(s *scene) {
	events, keys := foreign()
	filler, before := offers[eventstore.Filler](s), s.history()
	s.beginImport("x", 0)
	s.requireNoHistory()
	require.NoError(s, filler.ImportEvents(s.ctx, events[:2], nil))
	require.NoError(s, filler.ImportEvents(s.ctx, events[2:], keys))
	s.requireNoHistory()
	after, err := filler.EndImport(s.ctx)
	require.NoError(s, err)
	require.NotEqual(s, before, after)
	require.Equal(s, after, s.history())
	requireSame(s, events, s.all())
	require.Equal(s, keys[0], s.key(keys[0].Key))
	require.Equal(s, keys, s.keys(3))
	requireTaken(s, s.refused(keyed(opening("c", 1), "me", "k")), keys[0])
	s.write(commit("a", 1, 1))
}

func importGoesOn(s *scene) {
	events, keys := foreign()
	offers[eventstore.Filler](s)
	s.beginImport("x", 0)
	s.reopen()
	s.requireNoHistory()
	s.beginImport("x", 0)
	require.NoError(s, offers[eventstore.Filler](s).ImportEvents(s.ctx, events[:2], nil))
	s.reopen()
	s.requireNoHistory()
	_, err := offers[eventstore.Filler](s).BeginImport(s.ctx, "y")
	require.ErrorIs(s, err, eventstore.ErrOtherImport)
	s.beginImport("x", 2)
	if renewer, ok := s.engine.(eventstore.Renewer); ok {
		_, err = renewer.Renew(s.ctx)
		require.ErrorIs(s, err, eventstore.ErrNoHistory, "half a history becomes one")
	}
	require.NoError(s, offers[eventstore.Filler](s).ImportEvents(s.ctx, events[2:], keys))
	history, err := offers[eventstore.Filler](s).EndImport(s.ctx)
	require.NoError(s, err)
	s.reopen()
	require.Equal(s, history, s.history())
	requireSame(s, events, s.all())
}

func importAtomic(s *scene) {
	events, keys := foreign()
	filler := offers[eventstore.Filler](s)
	s.beginImport("x", 0)
	require.Error(s, filler.ImportEvents(s.ctx, events[1:], keys), "position 2 in an empty store")
	s.beginImport("x", 0)
	require.NoError(s, filler.ImportEvents(s.ctx, events[:1], nil))
	require.Error(s, filler.ImportEvents(s.ctx, events, keys), "position 1 again")
	s.beginImport("x", 1)
	s.noKey(keys[0].Key)
	require.NoError(s, filler.ImportEvents(s.ctx, events[1:], keys))
	_, err := filler.EndImport(s.ctx)
	require.NoError(s, err)
	requireSame(s, events, s.all())
}

func importIntoFilled(s *scene) {
	before, history := s.write(opening("a", 1)), s.history()
	_, err := offers[eventstore.Filler](s).BeginImport(s.ctx, "x")
	require.ErrorIs(s, err, eventstore.ErrNotEmpty)
	require.Equal(s, history, s.history())
	requireSame(s, before, s.all())
	s.write(commit("a", 0, 1))
}

func noImport(s *scene) {
	events, keys := foreign()
	filler, history := offers[eventstore.Filler](s), s.history()
	require.Error(s, filler.ImportEvents(s.ctx, events, keys), "events without BeginImport")
	_, err := filler.EndImport(s.ctx)
	require.Error(s, err, "end without BeginImport")
	require.Zero(s, s.head())
	require.Equal(s, history, s.history())
	s.beginImport("x", 0)
	_, err = filler.EndImport(s.ctx)
	require.NoError(s, err)
	require.Error(s, filler.ImportEvents(s.ctx, events, keys), "events behind EndImport")
	require.Zero(s, s.head())
}
