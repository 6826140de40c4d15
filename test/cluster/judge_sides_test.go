package cluster_test

import (
	"fmt"

	"github.com/stretchr/testify/require"
)

// judgeQueries waits until each query process shows every account as its last
// acknowledged command left it.
func (b *bank) judgeQueries(l *load) {
	b.t.Helper()
	for _, p := range b.query {
		for _, a := range l.accounts {
			version, balance := a.end()
			var shown struct {
				Version int64
				Balance money
			}
			awaitProgress(b.t, func() (int64, string) {
				err := fetchJSON(p.base()+"/api/v2/accounts/"+a.id, &shown)
				return shown.Version, unless(err == nil && shown.Version >= version, "account %s is shown at version %d, want %d: %v", a.id, shown.Version, version, err)
			})
			require.Equal(b.t, version, shown.Version, "account %s", a.id)
			require.Equal(b.t, balance, shown.Balance.cents(), "account %s at version %d", a.id, version)
		}
	}
}

// judgeNotifications waits until all are recorded: each event of the feed once
// for each channel, and whatever was sent by then under one id.
func (b *bank) judgeNotifications(f *feed) {
	b.t.Helper()
	want := f.events * int64(len(channels))
	var sent int64
	awaitProgress(b.t, func() (int64, string) {
		var recorded int64
		recorded, sent = b.countNotifications()
		return recorded, unless(recorded >= want, "%d notifications are recorded, want %d", recorded, want)
	})
	recorded := b.recorded()
	require.Len(b.t, recorded, int(want), "events and channels with a notification")
	b.hooks.mu.Lock()
	defer b.hooks.mu.Unlock()
	told := make(map[string]bool)
	for _, eventID := range b.hooks.heard {
		require.False(b.t, told[eventID], "event %s has two notifications", eventID)
		told[eventID] = true
	}
	for _, facts := range f.streams {
		for _, fact := range facts {
			for _, channel := range channels {
				if times := recorded[fact.id+" "+channel]; times != 1 {
					b.t.Fatalf("event %s was recorded %d times for %s", fact.id, times, channel)
				}
			}
			delete(told, fact.id)
		}
	}
	require.Empty(b.t, told, "somebody was told of what is not in the feed")
	b.t.Logf("notifications: %d events, recorded once for each of %v; %d sent so far, %d webhooks came again under the same id",
		f.events, channels, sent, b.hooks.again)
}

// countNotifications counts what is recorded and what of it is sent; -1 while
// the database does not answer.
func (b *bank) countNotifications() (recorded, sent int64) {
	row := b.sql.QueryRowContext(b.t.Context(), fmt.Sprintf("SELECT COUNT(*), COALESCE(SUM(state = 'sent'), 0) FROM %s_n.notification", b.topic))
	if row.Scan(&recorded, &sent) != nil {
		return -1, -1
	}
	return recorded, sent
}

// recorded counts notifications by event and channel.
func (b *bank) recorded() map[string]int {
	b.t.Helper()
	rows, err := b.sql.QueryContext(b.t.Context(), fmt.Sprintf("SELECT event_id, channel FROM %s_n.notification", b.topic))
	require.NoError(b.t, err)
	defer func() { _ = rows.Close() }()
	counts := make(map[string]int)
	for rows.Next() {
		var eventID, channel string
		require.NoError(b.t, rows.Scan(&eventID, &channel))
		counts[eventID+" "+channel]++
	}
	require.NoError(b.t, rows.Err())
	return counts
}
