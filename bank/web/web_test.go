package web_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"passbook/bank/web"
)

// quiet keeps expected failures out of the test's output.
func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func newAPI(t *testing.T, change func(*web.Config)) *web.API {
	t.Helper()
	config := web.Config{Title: "Test", Version: "1", Log: quiet()}
	if change != nil {
		change(&config)
	}
	api, err := web.New(config)
	require.NoError(t, err)
	return api
}

// send gives a request to a handler; a body is sent as JSON unless the headers
// say otherwise ("Content-Type: text/plain"; "Content-Type:" takes it away).
func send(h http.Handler, method, target, body string, headers ...string) *httptest.ResponseRecorder {
	var reader io.Reader
	if body != "" {
		reader = strings.NewReader(body)
	}
	r := httptest.NewRequest(method, target, reader)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ":")
		if value = strings.TrimSpace(value); value == "" {
			r.Header.Del(name)
		} else {
			r.Header.Set(name, value)
		}
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// requireProblem checks that an answer is a whole problem of the code.
func requireProblem(t *testing.T, w *httptest.ResponseRecorder, status int, code web.Code) web.Problem {
	t.Helper()
	require.Equal(t, status, w.Code, "body: %s", w.Body)
	require.Equal(t, "application/problem+json", w.Header().Get("Content-Type"))
	require.Equal(t, "nosniff", w.Header().Get("X-Content-Type-Options"))
	var p web.Problem
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &p), "body: %s", w.Body)
	require.Equal(t, code, p.Code)
	require.Equal(t, status, p.Status)
	require.Equal(t, "/docs#"+string(code), p.Type)
	require.NotEmpty(t, p.Title)
	return p
}

// textOutput answers with one line.
type textOutput struct {
	Body struct {
		Text string `json:"text"`
	}
}

func text(s string) *textOutput {
	out := &textOutput{}
	out.Body.Text = s
	return out
}

// getOperation answers GET path by handler, without input.
func getOperation(api *web.API, path string, handler func(context.Context) (*textOutput, error)) {
	web.Register(api, web.Operation{ID: "get" + path, Method: http.MethodGet, Path: path},
		func(ctx context.Context, _ *struct{}) (*textOutput, error) { return handler(ctx) })
}

var errInside = errors.New("dial mongodb://user:secret@db: refused")

func getProblem(api *web.API, p *web.Problem) {
	getOperation(api, "/problem", func(context.Context) (*textOutput, error) { return nil, p })
}
