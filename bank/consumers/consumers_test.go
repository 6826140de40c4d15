package consumers_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"passbook/bank/consumers"
	"passbook/bank/web"
	"passbook/engine/sqlite"
	"passbook/es/event"
	"passbook/es/projection"
	"passbook/es/projection/projectiontest"
)

const name = "bankaccConsumer"

// scene is the routes over a projection into a SQLite file.
type scene struct {
	t     *testing.T
	api   *web.API
	store *sqlite.ProjectionStore
	p     *projection.Projection[*sql.Tx]
	topic *projectiontest.Topic
	// broken are the ids of events that cannot be applied.
	broken map[string]bool
}

func newScene(t *testing.T) *scene {
	t.Helper()
	store, err := sqlite.OpenProjectionStore(t.Context(), filepath.Join(t.TempDir(), "readmodel.db"), sqlite.Rebuildable)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	rows := projectiontest.SQLRows{}
	require.NoError(t, rows.Create(t.Context(), store.DB()))
	s := &scene{
		t: t, store: store, broken: map[string]bool{},
		topic: projectiontest.NewTopic("topic", 1, projectiontest.NewHistory("history")),
	}
	model := projectiontest.Tally[*sql.Tx]{Rows: rows, Fails: func(e event.Envelope) error {
		if s.broken[e.ID] {
			return projection.NewUnapplicable(e, event.ErrUnknownType)
		}
		return nil
	}}
	s.p, err = projection.New(name, store, model, projection.Config{})
	require.NoError(t, err)
	s.api = newAPI(t, consumers.Config{
		Consumers: []consumers.Consumer{s.p},
		By:        func(context.Context) event.Actor { return "anna" },
		Log:       slog.New(slog.DiscardHandler),
	})
	return s
}

func newAPI(t *testing.T, config consumers.Config) *web.API {
	t.Helper()
	api, err := web.New(web.Config{Title: "Test", Version: "1", Log: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	consumers.Register(api, config)
	return api
}

// publish has events read by the projection.
func (s *scene) publish(events ...event.Envelope) {
	s.t.Helper()
	s.topic.Publish(0, events...)
	require.NoError(s.t, s.p.RunToEnd(s.t.Context(), s.topic, s.topic.Topic))
}

type object = map[string]any

// send returns the status of an answer, and its body.
func (s *scene) send(method, path, body string) (int, object) {
	s.t.Helper()
	r := httptest.NewRequest(method, "/api/v2/consumers"+path, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	w := httptest.NewRecorder()
	s.api.ServeHTTP(w, r)
	var answer object
	require.NoError(s.t, json.Unmarshal(w.Body.Bytes(), &answer), "%s", w.Body)
	return w.Code, answer
}

// get returns a body that came with 200.
func (s *scene) get(path string) object {
	s.t.Helper()
	status, body := s.send(http.MethodGet, path, "")
	require.Equal(s.t, http.StatusOK, status, "%v", body)
	return body
}

func (s *scene) post(path, body string) object {
	s.t.Helper()
	status, answer := s.send(http.MethodPost, path, body)
	require.Equal(s.t, http.StatusOK, status, "%v", answer)
	return answer
}

func (s *scene) requireProblem(method, path, body string, status int, code web.Code, detail string) object {
	s.t.Helper()
	got, answer := s.send(method, path, body)
	require.Equal(s.t, status, got, "%v", answer)
	require.Equal(s.t, string(code), answer["code"])
	require.Contains(s.t, answer["detail"], detail)
	return answer
}

// objects is a list of a body, without what depends on the clock.
func objects(t *testing.T, body object, member string) (list []object) {
	t.Helper()
	for _, element := range body[member].([]any) {
		one := element.(object)
		for _, key := range []string{"since", "at"} {
			if one[key] != nil {
				require.Regexp(t, `^20\d\d-\d\d-\d\dT[\d:.]+Z$`, one[key])
				delete(one, key)
			}
		}
		list = append(list, one)
	}
	return list
}

func TestListConsumers(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	require.Equal(t, []object{{
		"name": name, "parkedStreams": 0.0, "partitions": []any{},
		"counts": object{"applied": 0.0, "duplicates": 0.0, "parked": 0.0, "queued": 0.0, "foreign": 0.0, "rewinds": 0.0, "fenced": 0.0},
	}}, objects(t, s.get(""), "consumers"))

	h := s.topic.History
	s.topic.Publish(0, h.Event("a", 0), h.Event("b", 1), h.Event("a", 0))
	_, err := s.p.Assign(t.Context(), s.topic.Assignment(0))
	require.NoError(t, err)
	_, err = s.p.Consume(t.Context(), s.topic.Run(0, 0, 2))
	require.NoError(t, err)
	require.Equal(t, []object{{
		"name": name, "parkedStreams": 1.0,
		"partitions": []any{object{"partition": 0.0, "topicId": "topic", "next": 2.0, "end": 3.0, "lag": 1.0, "position": 2.0}},
		"counts":     object{"applied": 1.0, "duplicates": 0.0, "parked": 1.0, "queued": 1.0, "foreign": 0.0, "rewinds": 0.0, "fenced": 0.0},
	}}, objects(t, s.get(""), "consumers"))

	s.topic.History.ID = "another"
	s.topic.Publish(0, h.Event("c", 0))
	_, err = s.p.Consume(t.Context(), s.topic.Run(0, 3, 2))
	require.ErrorIs(t, err, projection.ErrOtherHistory)
	partition := objects(t, s.get(""), "consumers")[0]["partitions"].([]any)[0].(object)
	require.Contains(t, partition["error"], "events of another history")
}

func TestListParked(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	require.Equal(t, object{"parked": []any{}}, s.get("/"+name+"/parked"))
	h := s.topic.History
	s.publish(h.Event("c", 1), h.Event("a", 1), h.Event("a", 2), h.Event("b", 1))
	var got []string
	pages := 0
	for token := ""; pages == 0 || token != ""; pages++ {
		body := s.get("/" + name + "/parked?pageSize=2&pageToken=" + token)
		for _, parked := range objects(t, body, "parked") {
			got = append(got, parked["stream"].(string))
		}
		token, _ = body["nextPageToken"].(string)
	}
	require.Equal(t, []string{"a", "b", "c"}, got)
	require.Equal(t, 2, pages)
	body := s.get("/" + name + "/parked?pageSize=3")
	require.NotContains(t, body, "nextPageToken", "the last page is full")
	require.Equal(t, object{
		"stream": "a", "reason": "gap", "version": 0.0, "error": "version 0 is missing, version 1 is there", "queued": 2.0,
	}, objects(t, body, "parked")[0])

	foreign := s.get("/" + name + "/parked?pageSize=1")["nextPageToken"].(string)
	for _, path := range []string{
		"/" + name + "/parked?pageSize=0", "/" + name + "/parked?pageSize=1001", "/" + name + "/parked?pageToken=x",
		"/" + name + "/parked?size=1", "/" + name + "/discarded?pageToken=" + foreign, "/" + name + "/discarded?pageSize=-1",
		"/" + name + "/parked/a?queueSize=0",
	} {
		s.requireProblem(http.MethodGet, path, "", http.StatusBadRequest, web.CodeInvalidRequest, "")
	}
}

func TestShowParked(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	h := s.topic.History
	bad := h.Event("a/b ä", 1)
	s.broken[bad.ID] = true
	s.publish(h.Event("a/b ä", 0), bad, h.Event("a/b ä", 2), h.Event("a/b ä", 3), h.Event("gap", 1))
	body := s.get("/" + name + "/parked/a%2Fb%20%C3%A4?queueSize=2")
	delete(body, "since")
	queued := func(version float64, id string, position float64) object {
		return object{
			"version": version, "eventId": id, "position": position, "type": "test.counted.v1",
			"time": h.Event("a/b ä", int64(version)).Time.Format("2006-01-02T15:04:05.999999999Z"),
		}
	}
	inTheWay := queued(1, bad.ID, float64(bad.Position))
	inTheWay["payload"], inTheWay["payloadSize"] = "2", 1.0
	require.Equal(t, object{
		"stream": "a/b ä", "reason": "unapplicable", "version": 1.0, "eventId": bad.ID,
		"error": event.ErrUnknownType.Error(), "queued": 3.0, "inTheWay": inTheWay,
		"queue": []any{queued(1, bad.ID, float64(bad.Position)), queued(2, "a/b ä-2", float64(h.Event("a/b ä", 2).Position))},
	}, body)
	long := h.Event("long", 0)
	long.Data = append([]byte("\xff"), strings.Repeat("x", 20_000)...)
	s.broken[long.ID] = true
	s.publish(long)
	shown := s.get("/" + name + "/parked/long")["inTheWay"].(object)
	require.EqualValues(t, 20_001, shown["payloadSize"])
	require.Equal(t, "\uFFFD"+strings.Repeat("x", 16<<10-1), shown["payload"])

	gap := s.get("/" + name + "/parked/gap")
	require.NotContains(t, gap, "inTheWay")
	require.NotContains(t, gap, "eventId")
	require.Len(t, gap["queue"], 1)
}

func TestRedrive(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	h := s.topic.History
	s.broken[h.Event("a", 1).ID] = true
	s.publish(h.Events("a", 0, 3)...)
	body := s.post("/"+name+"/parked/a/redrive", "")
	require.Equal(t, false, body["flows"])
	parked := body["parked"].(object)
	require.Equal(t, "unapplicable", parked["reason"])
	require.EqualValues(t, 3, parked["queued"])
	clear(s.broken)
	require.Equal(t, object{"flows": true}, s.post("/"+name+"/parked/a/redrive", ""))
	s.requireProblem(http.MethodPost, "/"+name+"/parked/a/redrive", "", http.StatusNotFound, web.CodeNotFound, "is not parked")
}
