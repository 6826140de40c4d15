package web_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"passbook/bank/web"
)

// newRoutes has GET and PUT /things/{id}, POST /things and GET /things.
func newRoutes(t *testing.T) *web.API {
	t.Helper()
	api := newAPI(t, nil)
	type input struct {
		ID string `path:"id"`
	}
	for _, method := range []string{http.MethodGet, http.MethodPut} {
		web.Register(api, web.Operation{ID: method + "thing", Method: method, Path: "/things/{id}"},
			func(_ context.Context, in *input) (*textOutput, error) { return text(in.ID), nil })
	}
	web.Register(api, web.Operation{ID: "add", Method: http.MethodPost, Path: "/only/post"},
		func(context.Context, *noteInput) (*textOutput, error) { return text("posted"), nil })
	return api
}

func TestSite_UnknownRoute(t *testing.T) {
	api := newRoutes(t)
	for _, target := range []string{
		"/", "/thing", "/things", "/things/", "/things/a/b", "//things/a", "/things//", "/x/../things/a", "/things/a//",
		"/./things/a", "/THINGS/a",
	} {
		for _, method := range []string{"GET", "POST", "BREW"} {
			w := send(api, method, target, "")
			requireProblem(t, w, http.StatusNotFound, web.CodeNotFound)
			require.Empty(t, w.Header().Get("Allow"))
			require.Empty(t, w.Header().Get("Location"))
		}
	}
}

func TestSite_MethodNotAllowed(t *testing.T) {
	api := newRoutes(t)
	for target, allow := range map[string]string{
		"/only/post":    "POST",
		"/only/post/":   "POST",
		"/things/a":     "GET, HEAD, PUT",
		"/openapi.json": "GET, HEAD",
	} {
		for _, method := range []string{"DELETE", "OPTIONS", "BREW", "TRACE"} {
			w := send(api, method, target, "")
			requireProblem(t, w, http.StatusMethodNotAllowed, web.CodeMethodNotAllowed)
			require.Equal(t, allow, w.Header().Get("Allow"), target)
		}
	}
}

func TestSite_TrailingSlash(t *testing.T) {
	api := newRoutes(t)
	for target, id := range map[string]string{
		"/things/a": "a", "/things/a/": "a", "/things/a%2Fb": "a/b", "/things/a%2F": "a/", "/things/a%2F/": "a/",
		"/things/J%C3%BCrgen%20B/": "Jürgen B", "/things/a/?x=/": "a",
	} {
		w := send(api, "GET", target, "")
		require.Equal(t, http.StatusOK, w.Code, target)
		require.JSONEq(t, `{"text":"`+id+`"}`, w.Body.String(), target)
	}
	require.JSONEq(t, `{"text":"posted"}`, send(api, "POST", "/only/post/", `{}`).Body.String())
}

func TestSite_MalformedTarget(t *testing.T) {
	api := newRoutes(t)
	for _, target := range []string{"/things/%ff", "/things/a?q=%ff", "/things/a?q=%zz", "/things/a?%c0%af"} {
		requireProblem(t, send(api, "GET", target, ""), http.StatusBadRequest, web.CodeInvalidRequest)
	}
}

func TestSite_Head(t *testing.T) {
	server := httptest.NewServer(newRoutes(t))
	defer server.Close()
	get, err := http.Get(server.URL + "/things/a")
	require.NoError(t, err)
	defer get.Body.Close()
	head, err := http.Head(server.URL + "/things/a/")
	require.NoError(t, err)
	defer head.Body.Close()
	body, err := io.ReadAll(head.Body)
	require.NoError(t, err)
	require.Empty(t, body)
	require.Equal(t, get.StatusCode, head.StatusCode)
	require.Equal(t, get.ContentLength, head.ContentLength)
	require.Equal(t, get.Header.Get("Content-Type"), head.Header.Get("Content-Type"))
}

func TestSite_Headers(t *testing.T) {
	w := send(newRoutes(t), "GET", "/things/a", "")
	require.Equal(t, "nosniff", w.Header().Get("X-Content-Type-Options"))
	require.Equal(t, "no-store", w.Header().Get("Cache-Control"))
}

func TestSite_CrossOrigin(t *testing.T) {
	api := newAPI(t, func(c *web.Config) { c.TrustedOrigins = []string{"http://console.test:5080"} })
	web.Register(api, web.Operation{ID: "add", Method: http.MethodPost, Path: "/restores"},
		func(context.Context, *struct{}) (*textOutput, error) { return text("begun"), nil })
	getOperation(api, "/restores", func(context.Context) (*textOutput, error) { return text("none"), nil })
	evil := "Origin: http://evil.test"
	requireProblem(t, send(api, "POST", "/restores", "", evil), http.StatusForbidden, web.CodeForbidden)
	requireProblem(t, send(api, "POST", "/restores", "", evil, "Sec-Fetch-Site: cross-site"), 403, web.CodeForbidden)
	require.Equal(t, 200, send(api, "POST", "/restores", "", "Origin: http://console.test:5080").Code)
	require.Equal(t, 200, send(api, "POST", "/restores", "", "Origin: http://example.com").Code, "the test's own host")
	require.Equal(t, 200, send(api, "POST", "/restores", "").Code)
	require.Equal(t, 200, send(api, "GET", "/restores", "", evil).Code)
}

func TestSite_InternalErrorIsLoggedWithItsRequest(t *testing.T) {
	var log bytes.Buffer
	api := newAPI(t, func(c *web.Config) { c.Log = slog.New(slog.NewJSONHandler(&log, nil)) })
	getOperation(api, "/fails", func(context.Context) (*textOutput, error) { return nil, errInside })

	w := send(api, "GET", "/fails", "", "X-Request-Id: req-17")
	p := requireProblem(t, w, http.StatusInternalServerError, web.CodeInternal)
	require.Equal(t, "req-17", w.Header().Get("X-Request-Id"))
	require.Contains(t, p.Detail, "req-17")
	require.Contains(t, log.String(), `"request":"req-17"`)
	require.Contains(t, log.String(), errInside.Error())

	w = send(api, "GET", "/fails", "", "X-Request-Id: not\ta plain name")
	id := w.Header().Get("X-Request-Id")
	require.NotContains(t, id, "plain")
	require.Contains(t, log.String(), id)
}

func TestSite_ClientThatIsGoneIsNoFailure(t *testing.T) {
	var log bytes.Buffer
	api := newAPI(t, func(c *web.Config) { c.Log = slog.New(slog.NewJSONHandler(&log, nil)) })
	getOperation(api, "/waits", func(ctx context.Context) (*textOutput, error) { return nil, ctx.Err() })
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	w := httptest.NewRecorder()
	api.ServeHTTP(w, httptest.NewRequestWithContext(ctx, "GET", "/waits", nil))
	requireProblem(t, w, http.StatusGatewayTimeout, web.CodeOutcomeUnknown)
	require.Empty(t, log.String())
}

func TestSite_Panic(t *testing.T) {
	var log bytes.Buffer
	api := newAPI(t, func(c *web.Config) { c.Log = slog.New(slog.NewJSONHandler(&log, nil)) })
	getOperation(api, "/panics", func(context.Context) (*textOutput, error) { panic("balance of ann is 7") })
	type streamed struct{ Body []byte }
	web.Register(api, web.Operation{ID: "half", Method: http.MethodGet, Path: "/half"},
		func(context.Context, *struct{}) (*streamed, error) { return &streamed{Body: []byte("half")}, nil })

	w := send(api, "GET", "/panics", "")
	requireProblem(t, w, http.StatusInternalServerError, web.CodeInternal)
	require.NotContains(t, w.Body.String(), "ann")
	require.Contains(t, log.String(), "balance of ann is 7")
	require.Contains(t, log.String(), "site_test.go", "the stack")

	// What was begun cannot be taken back: the connection is cut instead.
	broken := httptest.NewRecorder()
	require.PanicsWithValue(t, http.ErrAbortHandler, func() {
		api.ServeHTTP(panickingWriter{broken}, httptest.NewRequest(http.MethodGet, "/half", nil))
	})
	require.NotContains(t, broken.Body.String(), "internal")
}

// panickingWriter fails in the middle of an answer.
type panickingWriter struct{ *httptest.ResponseRecorder }

func (panickingWriter) Write([]byte) (int, error) { panic("torn") }

func TestLocalHost(t *testing.T) {
	guarded := web.LocalHost(newRoutes(t))
	for host, status := range map[string]int{
		"localhost": 200, "localhost:5000": 200, "LOCALHOST.:5000": 200, "127.0.0.1": 200, "127.0.0.1:5000": 200,
		"[::1]:5000": 200, "[::1]": 200, "192.168.1.7:5000": 200,
		"evil.test": 403, "evil.test:5000": 403, "localhost.evil.test": 403, "127.0.0.1.evil.test:5000": 403, "": 403,
	} {
		r := httptest.NewRequest(http.MethodGet, "/things/a", nil)
		r.Host = host
		w := httptest.NewRecorder()
		guarded.ServeHTTP(w, r)
		require.Equal(t, status, w.Code, host)
		if status == http.StatusForbidden {
			requireProblem(t, w, status, web.CodeForbidden)
		}
	}
}
