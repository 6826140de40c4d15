package consumers_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"passbook/bank/consumers"
	"passbook/bank/web"
)

func TestDiscard(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	h := s.topic.History
	s.broken[h.Event("a", 1).ID], s.broken[h.Event("a", 2).ID] = true, true
	s.publish(h.Events("a", 0, 3)...)
	s.publish(h.Event("gap", 1), h.Event("fine", 0))
	const a = "/" + name + "/parked/a/discard"

	conflict := s.requireProblem(http.MethodPost, a, `{"version":2,"reason":"why"}`,
		http.StatusConflict, web.CodeVersionConflict, "version 2 is not in the way of the stream, version 1 is")
	require.EqualValues(t, 2, conflict["expectedVersion"])
	require.EqualValues(t, 1, conflict["actualVersion"])
	for body, detail := range map[string]string{
		`{"reason":"why"}`:                                          "version: must be given",
		`{"version":null,"reason":"why"}`:                           "version",
		`{"version":"1","reason":"why"}`:                            "",
		`{"version":1}`:                                             "reason: must be 1 to 200 characters",
		`{"version":1,"reason":" "}`:                                "reason: must be 1 to 200 characters",
		`{"version":1,"reason":"a\nb"}`:                             "reason: must be 1 to 200 characters",
		`{"version":1,"reason":"` + strings.Repeat("ä", 201) + `"}`: "reason: must be 1 to 200 characters",
		`{"version":1,"reason":"why","stream":"b"}`:                 "",
		`{"version":1,"version":1,"reason":"why"}`:                  "",
		``: "",
	} {
		s.requireProblem(http.MethodPost, a, body, http.StatusBadRequest, web.CodeInvalidRequest, detail)
	}
	s.requireProblem(http.MethodPost, "/"+name+"/parked/gap/discard", `{"version":0,"reason":"why"}`,
		http.StatusBadRequest, web.CodeInvalidRequest, "version 0 is missing")
	for _, stream := range []string{"fine", "nobody"} {
		s.requireProblem(http.MethodPost, "/"+name+"/parked/"+stream+"/discard", `{"version":0,"reason":"why"}`,
			http.StatusNotFound, web.CodeNotFound, "the stream is not parked")
	}
	require.Equal(t, object{"discarded": []any{}}, s.get("/"+name+"/discarded"))

	body := s.post(a, `{"version":1,"reason":"typed twice"}`)
	require.Equal(t, false, body["flows"])
	require.EqualValues(t, 2, body["parked"].(object)["version"])
	require.Equal(t, object{"flows": true}, s.post(a, `{"version":2,"reason":"and once more"}`))
	s.requireProblem(http.MethodPost, a, `{"version":2,"reason":"why"}`, http.StatusNotFound, web.CodeNotFound, "")
	want := []object{
		{"stream": "a", "version": 1.0, "eventId": "a-1", "reason": "typed twice", "by": "anna"},
		{"stream": "a", "version": 2.0, "eventId": "a-2", "reason": "and once more", "by": "anna"},
	}
	first := s.get("/" + name + "/discarded?pageSize=1")
	require.Equal(t, want[:1], objects(t, first, "discarded"))
	second := s.get("/" + name + "/discarded?pageSize=1&pageToken=" + first["nextPageToken"].(string))
	require.Equal(t, want[1:], objects(t, second, "discarded"))
	require.NotContains(t, second, "nextPageToken")
	require.EqualValues(t, 1, objects(t, s.get(""), "consumers")[0]["parkedStreams"])
}

func TestUnknownConsumer(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	for _, path := range []string{"/nobody/parked", "/nobody/parked/a", "/nobody/discarded"} {
		s.requireProblem(http.MethodGet, path, "", http.StatusNotFound, web.CodeNotFound, "no consumer of that name")
	}
	s.requireProblem(http.MethodPost, "/nobody/parked/a/redrive", "", http.StatusNotFound, web.CodeNotFound, "no consumer of that name")
	s.requireProblem(http.MethodPost, "/nobody/parked/a/discard", `{"version":1,"reason":"why"}`,
		http.StatusNotFound, web.CodeNotFound, "no consumer of that name")
	s.requireProblem(http.MethodGet, "/"+name+"/parked/a", "", http.StatusNotFound, web.CodeNotFound, "the stream is not parked")
}

// TestDatabaseGone: nobody is told that nothing has happened who cannot know it,
// and the engine's own words go to the log alone.
func TestDatabaseGone(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.publish(s.topic.History.Event("a", 1))
	require.NoError(t, s.store.DB().Close())
	for _, path := range []string{"", "/" + name + "/parked", "/" + name + "/parked/a", "/" + name + "/discarded"} {
		answer := s.requireProblem(http.MethodGet, path, "", http.StatusServiceUnavailable, web.CodeUnavailable, "does not answer")
		require.NotContains(t, answer["detail"], "closed")
	}
	for path, body := range map[string]string{"redrive": "", "discard": `{"version":1,"reason":"why"}`} {
		s.requireProblem(http.MethodPost, "/"+name+"/parked/a/"+path, body, http.StatusGatewayTimeout, web.CodeOutcomeUnknown, "did not answer")
	}
}

func TestRegister_Panics(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	require.Panics(t, func() { newAPI(t, consumers.Config{Consumers: []consumers.Consumer{s.p, s.p}}) })
}
