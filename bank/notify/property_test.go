package notify_test

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"passbook/bank/notify"
	"passbook/engine/sqlite"
	"passbook/es/event"
)

// Whatever is repeated, made again or put back, and however often the service is
// stopped and started: each event that is news is recorded once for each channel,
// and an account's in their order.
func TestProperty_EffectivelyOnce(t *testing.T) {
	folder := t.TempDir()
	runs := 0
	rapid.Check(t, func(rt *rapid.T) {
		runs++
		s := openScene(t, filepath.Join(folder, fmt.Sprint(runs, ".db")))
		defer func() { require.NoError(rt, s.store.Close()) }()
		h := newHistory().before()
		grow := func(label string) {
			for i := range rapid.IntRange(0, 6).Draw(rt, label) {
				id := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(rt, fmt.Sprint(label, i))
				h.imported = rapid.IntRange(0, 5).Draw(rt, "imported") == 0
				if h.versions[id] == 0 {
					h.open(id)
				} else {
					h.deposit(id, "1.00 EUR")
				}
			}
		}
		grow("before")
		first := int64(len(h.events)) // none of these is news
		topic := newTopic("t1", h)
		s.record(topic, named("log"))
		h.since()
		news := make(map[string]event.Envelope)
		learn := func() {
			for _, e := range h.events[min(first, int64(len(h.events))):] {
				if !e.Metadata.Imported {
					news[e.ID] = e
				}
			}
		}
		for step := range rapid.IntRange(1, 4).Draw(rt, "steps") {
			branch := fmt.Sprint("'", step)
			switch rapid.IntRange(0, 2).Draw(rt, "what") {
			case 0: // the topic is made again, and some of it is there twice
				topic = newTopic("t"+branch, h)
				topic.publish(h.events[rapid.IntRange(0, len(h.events)).Draw(rt, "from"):]...)
			case 1: // a back-up is put back, behind which there is another history
				h = h.back(rapid.IntRange(0, len(h.events)).Draw(rt, "head"))
				h.id, h.branch = "h"+branch, branch
				for id := range h.versions {
					h.balances[id] = money("100.00 EUR")
				}
				s.recover(int64(len(h.events)))
				first = min(first, int64(len(h.events)))
				topic = newTopic("t"+branch, h)
			}
			was := len(h.events)
			grow("more")
			topic.publish(h.events[was:]...)
			topic.next = map[int32]int64{}
			learn()
			s.record(topic, named("log"))
		}
		var want []string
		for id := range news {
			want = append(want, id+" log")
		}
		require.Equal(rt, sorted(want), sorted(s.recorded()))
		last := make(map[string]event.Envelope) // of each account
		for _, id := range s.rows(`SELECT event_id FROM notification ORDER BY seq`) {
			e := news[id]
			before, ok := last[e.Stream]
			if ok && before.Metadata.CorrelationID == e.Metadata.CorrelationID { // of one branch of the history
				require.Greater(rt, e.Version, before.Version, "in their order")
			}
			last[e.Stream] = e
		}
		require.Empty(rt, s.rows(`SELECT stream FROM parked_stream`))
	})
}

func openScene(t *testing.T, path string) *scene {
	t.Helper()
	store, err := sqlite.OpenProjectionStore(context.Background(), path, sqlite.Rebuildable)
	require.NoError(t, err)
	require.NoError(t, notify.Migrate(t.Context(), store.DB(), notify.SQLite))
	return &scene{tb: t, store: store, db: store.DB(), dialect: notify.SQLite}
}
