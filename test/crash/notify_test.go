package crash_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"passbook/internal/testenv"
)

// customers is the receiving end of webhooks.
type customers struct {
	server *httptest.Server
	mu     sync.Mutex
	heard  map[string]int    // how often by the notification's id
	of     map[string]string // the event that an id is for
}

func newCustomers(t *testing.T) *customers {
	t.Helper()
	c := &customers{heard: make(map[string]int), of: make(map[string]string)}
	c.server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var hook struct {
			Data struct {
				EventID string `json:"eventId"`
			} `json:"data"`
		}
		if err := json.NewDecoder(r.Body).Decode(&hook); err != nil {
			t.Error(err)
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		id := r.Header.Get("webhook-id")
		c.heard[id]++
		if before, known := c.of[id]; known && before != hook.Data.EventID {
			t.Errorf("notification %s is for event %s and for %s", id, before, hook.Data.EventID)
		}
		c.of[id] = hook.Data.EventID
	}))
	t.Cleanup(c.server.Close)
	return c
}

// settings have passbook tell these customers.
func (c *customers) settings() []string {
	return []string{
		"--notify-channels", "log,webhook", "--notify-webhook-url", c.server.URL,
		"--notify-webhook-secret", "whsec_" + base64.StdEncoding.EncodeToString(make([]byte, 32)),
	}
}

type notification struct{ ID, EventID, Channel, State string }

// notifications reads all that are in a state, or all.
func notifications(t *testing.T, base, state string, limit int) []notification {
	t.Helper()
	var all []notification
	for token := ""; ; {
		response, err := http.Get(base + "/api/v2/notifications?pageSize=1000&state=" + state + "&pageToken=" + url.QueryEscape(token))
		require.NoError(t, err)
		var page struct {
			Notifications []notification
			NextPageToken string
		}
		require.Equal(t, http.StatusOK, response.StatusCode)
		require.NoError(t, json.NewDecoder(response.Body).Decode(&page))
		require.NoError(t, response.Body.Close())
		all = append(all, page.Notifications...)
		if token = page.NextPageToken; token == "" || len(all) >= limit {
			return all
		}
	}
}

// requireNotified wants each event recorded once for each channel, all of it
// sent, and every repeat of a webhook under the id of the first.
func (c *customers) requireNotified(t *testing.T, p *testenv.Passbook, events int64) {
	t.Helper()
	recorded := make(map[string]int)
	require.Eventually(t, func() bool {
		return len(notifications(t, p.Notify, "pending", 1)) == 0 && int64(len(notifications(t, p.Notify, "sent", 1<<30))) >= 2*events
	}, 5*time.Minute, 100*time.Millisecond, "not everybody was told")
	for _, n := range notifications(t, p.Notify, "", 1<<30) {
		recorded[n.Channel+" "+n.EventID]++
		require.Equal(t, "sent", n.State)
	}
	require.Len(t, recorded, int(2*events))
	for key, times := range recorded {
		require.Equal(t, 1, times, "recorded more than once: %s", key)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	told, repeats := make(map[string]bool), 0
	for id, times := range c.heard {
		require.False(t, told[c.of[id]], "event %s has two notifications", c.of[id])
		told[c.of[id]] = true
		repeats += times - 1
		require.Equal(t, 1, recorded["webhook "+c.of[id]])
	}
	require.Len(t, told, int(events))
	t.Logf("notifications: %d events, each recorded once for each channel; %d webhooks came again under the same id", events, repeats)
}
