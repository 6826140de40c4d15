package cluster_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
)

// hooks is the receiving end of webhooks.
type hooks struct {
	server *httptest.Server

	mu    sync.Mutex
	heard map[string]string // by notification id: the event
	again int               // how many came under an id that was known
}

func newHooks(t *testing.T) *hooks {
	t.Helper()
	h := &hooks{heard: make(map[string]string)}
	h.server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var hook struct {
			Data struct {
				EventID string `json:"eventId"`
			} `json:"data"`
		}
		if err := json.NewDecoder(r.Body).Decode(&hook); err != nil {
			return // its sender was killed
		}
		h.mu.Lock()
		defer h.mu.Unlock()
		id := r.Header.Get("webhook-id")
		before, known := h.heard[id]
		if known {
			h.again++
		}
		if known && before != hook.Data.EventID {
			t.Errorf("notification %s is for event %s and for %s", id, before, hook.Data.EventID)
		}
		h.heard[id] = hook.Data.EventID
	}))
	t.Cleanup(h.server.Close)
	return h
}

// settings have passbook tell these customers, and write its log.
func (h *hooks) settings() []string {
	return []string{
		"--notify-channels", "log,webhook", "--notify-webhook-url", h.server.URL,
		"--notify-webhook-secret", "whsec_" + base64.StdEncoding.EncodeToString(make([]byte, 32)),
	}
}

// channels are those of settings.
var channels = []string{"log", "webhook"}
