package cluster_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"

	"passbook/es/event"
	"passbook/internal/testenv"
)

// fact is an event as it lies in the feed.
type fact struct {
	id       string
	movement movement
}

// feed is what consumers may have seen: each stream's events by version.
type feed struct {
	streams map[string][]fact
	events  int64
	repeats int
}

// judge holds everything that there is against what the clients were told.
func (b *bank) judge(l *load) {
	b.t.Helper()
	require.False(b.t, b.t.Failed(), "an answer was wrong already")
	began := time.Now()
	total := l.events()
	b.awaitPublished(total)
	b.t.Logf("everything is in the feed after %v", time.Since(began).Round(time.Millisecond))
	f := b.readFeed()
	b.t.Logf("the feed has %d events and %d equal repeats", f.events, f.repeats)
	require.Equal(b.t, total, f.events, "events in the feed, against acknowledged commands")
	for _, a := range l.accounts {
		require.NoError(b.t, f.hold(a))
	}
	b.judgeQueries(l)
	b.judgeNotifications(f)
	b.t.Logf("queries and notifications agree after %v", time.Since(began).Round(time.Millisecond))
	b.t.Logf("verify: %s", b.verify())
}

// published is how many records the topic holds, repeats included.
func (b *bank) published() int64 {
	ends, err := b.admin.ListEndOffsets(b.t.Context(), b.topic)
	if err != nil || ends.Error() != nil {
		return -1
	}
	var n int64
	ends.Each(func(o kadm.ListedOffset) { n += o.Offset })
	return n
}

// awaitPublished waits until a relay says that it has published so many events,
// and the topic has as many.
func (b *bank) awaitPublished(events int64) {
	b.t.Helper()
	awaitProgress(b.t, func() (int64, string) {
		records, position := b.published(), float64(-1)
		for _, p := range b.relay {
			position = max(position, metric(p, "passbook_relay_position"))
		}
		return records, unless(records >= events && position >= float64(events),
			"the feed has %d records, the relays are at position %v, want %d", records, position, events)
	})
}

// metric reads a figure of a process, -1 if it has none.
func metric(p *process, name string) float64 {
	_, page := fetch(p.base() + "/metrics")
	for line := range strings.Lines(page) {
		if text, ok := strings.CutPrefix(line, name+" "); ok {
			var value float64
			if _, err := fmt.Sscan(text, &value); err == nil {
				return value
			}
		}
	}
	return -1
}

// readFeed reads the whole topic past everything of passbook's. Positions are 1
// to n, each stream's versions come in order by first occurrence, and a repeat is
// the same event.
func (b *bank) readFeed() *feed {
	b.t.Helper()
	f := &feed{streams: make(map[string][]fact)}
	positions := make(map[int64]string)
	for _, record := range testenv.ReadTopic(b.t, b.engines.brokers[0].direct, b.topic) {
		e := testenv.Decode(b.t, record)
		if seen, again := positions[e.Position]; again {
			require.Equal(b.t, seen, e.ID, "another event at position %d", e.Position)
			f.repeats++
			continue
		}
		positions[e.Position] = e.ID
		require.Len(b.t, f.streams[e.Stream], int(e.Version), "stream %s: version %d does not follow", e.Stream, e.Version)
		f.streams[e.Stream] = append(f.streams[e.Stream], fact{e.ID, b.read(e)})
		f.events = max(f.events, e.Position)
	}
	require.Len(b.t, positions, int(f.events), "positions are missing in the feed")
	return f
}

// read returns what an event says of money.
func (b *bank) read(e event.Envelope) movement {
	b.t.Helper()
	var payload struct {
		AccountHolder, Reference        string
		OpeningBalance, Amount, Balance money
	}
	require.NoError(b.t, json.Unmarshal(e.Data, &payload))
	m := movement{key: payload.Reference, cents: payload.Amount.cents(), balance: payload.Balance.cents(), position: e.Position}
	switch kind := e.Type.Name; {
	case strings.HasSuffix(kind, ".opened"):
		cents := payload.OpeningBalance.cents()
		return movement{key: payload.AccountHolder, cents: cents, balance: cents, position: e.Position}
	case strings.HasSuffix(kind, ".withdrawn"):
		m.cents = -m.cents
	case !strings.HasSuffix(kind, ".deposited"):
		b.t.Fatalf("event of type %s", kind)
	}
	return m
}

// hold compares one account: each acknowledged command is there, as it was
// acknowledged, at its version and position; nothing else is there; no key
// twice; each balance follows from the one before; and each refusal was right at
// some version that it may have been decided on.
func (f *feed) hold(a *ledger) error {
	facts, keys, balance := f.streams[a.id], make(map[string]int), int64(0)
	for version, fact := range facts {
		acked, known := a.acked[int64(version)]
		if !known || acked != fact.movement {
			return fmt.Errorf("account %s, version %d: the event is %+v, acknowledged was %+v", a.id, version, fact.movement, acked)
		}
		if before, twice := keys[acked.key]; twice {
			return fmt.Errorf("account %s: command %s was done at versions %d and %d", a.id, acked.key, before, version)
		}
		keys[acked.key] = version
		if balance += acked.cents; balance != acked.balance || balance < 0 {
			return fmt.Errorf("account %s, version %d: balance %d, it says %d", a.id, version, balance, acked.balance)
		}
	}
	if len(a.acked) != len(facts) {
		return fmt.Errorf("account %s: %d commands were acknowledged, %d events are there", a.id, len(a.acked), len(facts))
	}
	for _, r := range a.refusals {
		right := false
		for version := max(0, r.since); version < int64(len(facts)); version++ {
			right = right || facts[version].movement.balance < r.cents
		}
		if !right {
			return fmt.Errorf("account %s: %d were refused although there was more from version %d on", a.id, r.cents, r.since)
		}
	}
	return nil
}
