package notify_test

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"passbook/bank/notify"
	"passbook/bank/web"
)

var update = flag.Bool("update", false, "write the API document instead of comparing it")

var documentPath = filepath.Join("..", "..", "contract", "openapi", "notify.json")

// api makes the API on a scene's database.
func (s *scene) api(changes ...func(*notify.APIConfig)) *web.API {
	s.tb.Helper()
	reader, err := notify.NewReader(s.store, s.dialect)
	require.NoError(s.tb, err)
	registry := prometheus.NewRegistry()
	config := notify.APIConfig{
		Notifications: reader, Version: "test", Logger: quiet(), Metrics: registry, Probes: web.NewProbes(registry),
	}
	for _, change := range changes {
		change(&config)
	}
	api, err := notify.NewAPI(config)
	require.NoError(s.tb, err)
	return api
}

func get(api http.Handler, target string) (status int, body string) {
	w := httptest.NewRecorder()
	api.ServeHTTP(w, httptest.NewRequest(http.MethodGet, target, nil))
	return w.Code, w.Body.String()
}

func TestDocument_IsCurrent(t *testing.T) {
	document := newScene(t).api(func(c *notify.APIConfig) { c.Version = "development" }).Document()
	if *update {
		require.NoError(t, os.WriteFile(documentPath, document, 0o644))
	}
	written, err := os.ReadFile(documentPath)
	require.NoError(t, err)
	require.Equal(t, string(written), string(document), "contract/openapi/notify.json is not current: run make gen")
}

func TestNewAPI_Refuses(t *testing.T) {
	_, err := notify.NewAPI(notify.APIConfig{AnswerTimeout: -1})
	require.EqualError(t, err, "notify: APIConfig.Notifications is nil\n"+
		"notify: APIConfig.Version is empty\nnotify: APIConfig.AnswerTimeout is negative")
}

const notifications = "/api/v2/notifications"

// listed is an answer of the API.
type listed struct {
	Notifications []struct {
		ID, EventID, AccountID, Kind, Channel, State string
		Attempts                                     int64
		UpdatedAt                                    time.Time
		Error                                        string
	}
	NextPageToken string
}

func list(t *testing.T, api http.Handler, target string) (found listed, events []string) {
	t.Helper()
	status, body := get(api, target)
	require.Equal(t, http.StatusOK, status, body)
	require.NoError(t, json.Unmarshal([]byte(body), &found))
	for _, n := range found.Notifications {
		events = append(events, n.EventID)
	}
	return found, events
}

func TestListNotifications(t *testing.T) { onEngines(t, testListNotifications) }

func testListNotifications(t *testing.T, newScene func(testing.TB) *scene) {
	s, h := newScene(t), newHistory()
	api := s.api()
	status, body := get(api, notifications)
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, `{"notifications":[]}`, body)

	h.open("a")
	h.deposit("a", "1.00 EUR")
	h.open("b")
	require.NoError(t, notify.SetStart(s.store, s.dialect))
	require.NoError(t, notify.Apply(s.store, s.dialect, named("log"), h.events...))
	_, err := s.db.Exec(`UPDATE notification SET state = 'sent', attempts = 2, updated_us = 1795328581949000 WHERE event_id = 'a/0'`)
	require.NoError(t, err)
	_, err = s.db.Exec(`UPDATE notification SET state = 'failed', attempts = 1, error = 'no', updated_us = 1795328581949001 WHERE event_id = 'a/1'`)
	require.NoError(t, err)

	status, body = get(api, notifications+"?accountId=a")
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, `{"notifications":[`+
		`{"id":"`+notify.NotificationID("a/1", "log")+`","eventId":"a/1","accountId":"a","kind":"DEPOSITED","channel":"log",`+
		`"state":"failed","attempts":1,"updatedAt":"2026-11-22T06:23:01.949001Z","error":"no"},`+
		`{"id":"`+notify.NotificationID("a/0", "log")+`","eventId":"a/0","accountId":"a","kind":"OPENED","channel":"log",`+
		`"state":"sent","attempts":2,"updatedAt":"2026-11-22T06:23:01.949Z"}]}`, body)
	for query, want := range map[string][]string{
		"": {"b/0", "a/1", "a/0"}, "?state=pending": {"b/0"}, "?state=sent": {"a/0"}, "?state=failed&accountId=a": {"a/1"},
		"?state=failed&accountId=b": nil, "?accountId=nobody": nil, "?pageSize=1": {"b/0"},
	} {
		_, got := list(t, api, notifications+query)
		require.Equal(t, want, got, query)
	}
}

func TestListNotifications_Pages(t *testing.T) { onEngines(t, testListNotificationsPages) }

func testListNotificationsPages(t *testing.T, newScene func(testing.TB) *scene) {
	s, h := newScene(t), newHistory()
	for i := range 120 {
		h.open(fmt.Sprint("a", i))
	}
	require.NoError(t, notify.SetStart(s.store, s.dialect))
	require.NoError(t, notify.Apply(s.store, s.dialect, named("log"), h.events...))
	api := s.api()
	first, events := list(t, api, notifications)
	require.Len(t, events, 50, "the default")
	require.NotEmpty(t, first.NextPageToken)
	for _, filter := range []string{"", "&state=pending"} {
		var all []string
		target := notifications + "?pageSize=7" + filter
		for page := 0; ; page++ {
			found, events := list(t, api, target)
			all = append(all, events...)
			if found.NextPageToken == "" {
				break
			}
			target = notifications + "?pageSize=7" + filter + "&pageToken=" + url.QueryEscape(found.NextPageToken)
			h.open(fmt.Sprint("new", filter, page)) // moves nothing
			require.NoError(t, notify.Apply(s.store, s.dialect, named("log"), h.events[len(h.events)-1]))
		}
		seen := len(slices.Compact(sorted(slices.Clone(all))))
		require.Equal(t, len(all), seen, "none twice")
		require.Equal(t, "a0/0", all[len(all)-1])
	}
	exact, _ := list(t, api, notifications+"?pageSize=1000")
	require.Empty(t, exact.NextPageToken)
}

func TestListNotifications_Refuses(t *testing.T) {
	s, h := newScene(t), newHistory()
	h.open("a")
	h.deposit("a", "1.00 EUR")
	require.NoError(t, notify.SetStart(s.store, s.dialect))
	require.NoError(t, notify.Apply(s.store, s.dialect, named("log"), h.events...))
	api := s.api()
	first, _ := list(t, api, notifications+"?pageSize=1")
	token := url.QueryEscape(first.NextPageToken)
	for query, field := range map[string]string{
		"?state=SENT": "state", "?state=lost": "state", "?pageSize=0": "pageSize", "?pageSize=1001": "pageSize", "?pageSize=x": "pageSize",
		"?pageSize=-1": "pageSize", "?accountId=" + url.QueryEscape("a'--"): "accountId", "?accountId=" + strings.Repeat("a", 65): "accountId",
		"?pageToken=x": "pageToken", "?pageToken=e30": "pageToken", "?pageToken=" + url.QueryEscape("ä"): "pageToken",
		"?accountId=a&pageToken=" + token: "pageToken", "?state=sent&pageToken=" + token: "pageToken",
		"?account=a": "account", "?accountid=a": "accountid",
	} {
		status, body := get(api, notifications+query)
		require.Equal(t, http.StatusBadRequest, status, query)
		require.Contains(t, body, `"code":"invalid-request"`, query)
		require.Contains(t, body, `"field":"`+field+`"`, query)
	}
	require.NoError(t, s.store.Close())
	status, body := get(api, notifications)
	require.Equal(t, http.StatusServiceUnavailable, status)
	require.Contains(t, body, `"code":"unavailable"`)
	require.NotContains(t, body, "sql")
}

// Who calls is for Admit to judge, by the scope.
func TestListNotifications_Scope(t *testing.T) {
	var scopes []string
	api := newScene(t).api(func(c *notify.APIConfig) {
		c.Admit = func(_ *http.Request, op *web.Operation) (context.Context, error) {
			scopes = append(scopes, op.Scope)
			return nil, web.Forbidden("no")
		}
	})
	status, _ := get(api, notifications)
	require.Equal(t, http.StatusForbidden, status)
	require.Equal(t, []string{"query"}, scopes)
}
