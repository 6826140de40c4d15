package eventstoretest

import (
	"bytes"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"passbook/es/event"
	"passbook/es/eventstore"
)

func readingCases() []Case {
	return []Case{
		{Name: "empty store", run: readEmpty},
		{Name: "pages of a stream", run: streamPages},
		{Name: "pages of the store", run: allPages},
		{Name: "pages of large events", run: largePages},
		{Name: "payloads come back to the byte", run: payloads},
		{Name: "times come back to the microsecond", run: times},
		{Name: "metadata comes back", run: metadata},
		{Name: "names come back", run: names},
		{Name: "no member of an envelope is lost", run: everyMember},
		{Name: "stream names are told apart to the byte", run: streamNames},
		{Name: "history id", run: historyID},
	}
}

func readEmpty(s *scene) {
	require.Empty(s, s.all())
	require.Empty(s, s.stream("a"))
	require.Zero(s, s.head())
	require.Equal(s, event.NoVersion, s.version("a"))
}

// fillForPaging writes 23 events of stream a between those of others.
func fillForPaging(s *scene) (all, a []event.Envelope) {
	for i := range int64(23) {
		all = append(all, s.write(commit("b", 2*i-1, 2), commit("a", i-1, 1), opening(fmt.Sprintf("a%d", i), 1))...)
	}
	for _, e := range all {
		if e.Stream == "a" {
			a = append(a, e)
		}
	}
	return all, a
}

// largePages: a page of the store ends behind the event that fills it, no sooner
// and no later; one of a stream holds as many as were asked for.
func largePages(s *scene) {
	const size = 1 << 20
	var want []event.Envelope
	for i := range int64(11) {
		c := commit("a", i-1, 1)
		c.Events[0].Data = bytes.Repeat([]byte{byte('a' + i)}, size)
		want = append(want, s.write(c)...)
	}
	requireSame(s, want, s.all())
	requireSame(s, want, s.stream("a"))
	for after := range 11 {
		page, err := s.engine.ReadAll(s.ctx, int64(after), pageSize)
		require.NoError(s, err)
		require.Len(s, page, min(eventstore.PageBytes/size, 11-after))
	}
}

func streamPages(s *scene) {
	_, a := fillForPaging(s)
	for _, limit := range []int{1, 2, 7, 22, 23, 24, 1000} {
		for from := range int64(26) {
			page, err := s.engine.ReadStream(s.ctx, "a", from, limit)
			require.NoError(s, err)
			requireSame(s, cut(a, from, limit), page)
		}
	}
}

func allPages(s *scene) {
	all, _ := fillForPaging(s)
	for _, limit := range []int{1, 2, 10, 91, 92, 93, 1000} {
		for after := range int64(95) {
			page, err := s.engine.ReadAll(s.ctx, after, limit)
			require.NoError(s, err)
			requireSame(s, cut(all, after, limit), page)
		}
	}
}

func cut(all []event.Envelope, from int64, limit int) []event.Envelope {
	from = min(from, int64(len(all)))
	return all[from:min(from+int64(limit), int64(len(all)))]
}

// roundTrip writes an event for each change to an ordinary one, alone and all
// in a commit, and reads them back.
func roundTrip(s *scene, changes ...func(e *event.Envelope)) {
	s.Helper()
	together := opening("together", len(changes))
	for i, change := range changes {
		change(&together.Events[i])
		alone := opening(fmt.Sprintf("alone%d", i), 1)
		change(&alone.Events[0])
		alone.Stream = alone.Events[0].Stream
		requireSame(s, s.write(alone), s.stream(alone.Stream))
		together.Events[i].ID = event.NewID() // it may have been changed too
		together.Events[i].Stream = together.Stream
	}
	s.write(together)
	requireSameEvents(s, together)
}

// payloads are JSON, but their bytes are the truth: not what they mean.
func payloads(s *scene) {
	var changes []func(*event.Envelope)
	for _, data := range []string{
		"", "{}", "[]", "null", `"text"`, "0",
		" { \"a\" :\t1 ,\r\n\"b\":[ ] }\n",
		`{"b":1,"a":2,"b":3}`,
		`{"a":1.0,"b":1.00,"c":1e2,"d":100,"e":-0,"f":123456789012345678901234567890.10}`,
		`{"é":"\u00e9 é e` + "\u0301" + ` \ud83d\ude00 😀 \/ / <>& \u2028"}`,
		`{"":1,"$set":2,"a.b":3,"a\u0000b":4,"_id":5}`,
		`{"long":"` + strings.Repeat("0123456789", 20_000) + `"}`,
		strings.Repeat(`{"a":`, 500) + "1" + strings.Repeat("}", 500),
	} {
		changes = append(changes, func(e *event.Envelope) { e.Data = []byte(data) })
	}
	roundTrip(s, changes...)
}

func times(s *scene) {
	var changes []func(*event.Envelope)
	for _, t := range []time.Time{
		time.Date(2026, 11, 22, 12, 30, 15, 123_456_000, time.UTC),
		time.Date(2026, 11, 22, 12, 30, 15, 1_000, time.UTC),
		time.Date(2026, 11, 22, 12, 30, 15, 999_999_000, time.UTC),
		time.Date(2026, 11, 22, 12, 30, 15, 0, time.UTC),
		time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC),
		time.Date(1923, 10, 29, 23, 59, 59, 999_999_000, time.UTC),
		time.Date(9999, 12, 31, 23, 59, 59, 999_999_000, time.UTC),
	} {
		changes = append(changes, func(e *event.Envelope) { e.Time = t })
	}
	roundTrip(s, changes...)
}

func metadata(s *scene) {
	var changes []func(*event.Envelope)
	for _, m := range []event.Metadata{
		{},
		{CorrelationID: "c"},
		{CausationID: "c"},
		{Actor: "someone"},
		{TraceParent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"},
		{Imported: true},
		{CorrelationID: `quote " and ' \ slash`, CausationID: "line\nbreak", Actor: "Ağaç 漢字 😀", TraceParent: " "},
	} {
		changes = append(changes, func(e *event.Envelope) { e.Metadata = m })
	}
	roundTrip(s, changes...)
}

func names(s *scene) {
	roundTrip(s,
		func(e *event.Envelope) { e.ID = "an id that is no UUID, É" },
		func(e *event.Envelope) { e.Category = "" },
		func(e *event.Envelope) { e.Category = "Ünïcode " },
		func(e *event.Envelope) { e.Type = event.Type{Name: "a.v2", Schema: 1} },
		func(e *event.Envelope) {
			e.Type = event.Type{Name: "a.very.long." + strings.Repeat("name.", 30), Schema: 1234567}
		},
		func(e *event.Envelope) { e.Stream = strings.Repeat("ş", 127) },
	)
}

// everyMember notices the member that is added to the envelope one day, and
// that an engine does not keep.
func everyMember(s *scene) {
	c := opening("a", 1)
	e := &c.Events[0]
	e.Metadata = event.Metadata{
		CorrelationID: "correlation", CausationID: "causation", Actor: "actor", TraceParent: "trace", Imported: true,
	}
	e.Version, e.Position = 1, 2
	c.Expected = 0
	requireNoZero(s, "Envelope", reflect.ValueOf(*e))
	s.write(opening("a", 1))
	requireSame(s, s.write(c), s.stream("a")[1:])
}

func requireNoZero(s *scene, path string, v reflect.Value) {
	s.Helper()
	if v.Kind() != reflect.Struct || v.Type() == reflect.TypeFor[time.Time]() {
		require.False(s, v.IsZero(), "%s is new: give it a value here", path)
		return
	}
	for i := range v.NumField() {
		requireNoZero(s, path+"."+v.Type().Field(i).Name, v.Field(i))
	}
}

func streamNames(s *scene) {
	streams := []string{
		"Stream", "stream", "STREAM", "strëam", "stre\u0308am", "stream ", " stream", "stream%", "s_ream", "strea", "stream\x00", "0", "00",
	}
	var group []eventstore.Commit
	for _, name := range streams {
		group = append(group, opening(name, 1))
	}
	s.write(group...)
	for i, name := range streams {
		requireSame(s, placed(group[i], int64(i+1)), s.stream(name))
		require.Zero(s, s.version(name))
	}
	require.Equal(s, event.NoVersion, s.version("streams"))
}

func historyID(s *scene) {
	history, err := s.engine.History(s.ctx)
	require.NoError(s, err)
	require.NotEmpty(s, history)
	s.write(opening("a", 1))
	again, err := s.engine.History(s.ctx)
	require.NoError(s, err)
	require.Equal(s, history, again, "it changed without a reason")

	other, _ := s.another(s.create(s))
	others, err := other.History(s.ctx)
	require.NoError(s, err)
	require.NotEqual(s, history, others, "two stores, one history")
}
