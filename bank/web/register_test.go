package web_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"passbook/bank/web"
)

type noteInput struct {
	Body struct {
		Note string `json:"note,omitempty"`
	}
}

// newNotes has POST /notes, which echoes the note, and PUT /notes, whose body
// may be missing.
func newNotes(t *testing.T) *web.API {
	t.Helper()
	api := newAPI(t, nil)
	web.Register(api, web.Operation{ID: "add", Method: http.MethodPost, Path: "/notes", Status: http.StatusCreated},
		func(_ context.Context, in *noteInput) (*textOutput, error) { return text(in.Body.Note), nil })
	web.Register(api, web.Operation{ID: "put", Method: http.MethodPut, Path: "/notes"},
		func(_ context.Context, in *struct {
			Body *struct {
				Note string `json:"note"`
			}
		}) (*textOutput, error) {
			return text(strconv.FormatBool(in.Body == nil)), nil
		})
	return api
}

func TestRegister_ContentType(t *testing.T) {
	api := newNotes(t)
	for contentType, status := range map[string]int{
		"application/json":                           http.StatusCreated,
		"application/json; charset=utf-8":            http.StatusCreated,
		"Application/JSON;charset=\"UTF-8\"":         http.StatusCreated,
		"application/vnd.bank+json":                  http.StatusCreated,
		"":                                           http.StatusUnsupportedMediaType,
		"text/plain":                                 http.StatusUnsupportedMediaType,
		"text/json":                                  http.StatusUnsupportedMediaType,
		"application/x-www-form-urlencoded":          http.StatusUnsupportedMediaType,
		"multipart/form-data; boundary=x":            http.StatusUnsupportedMediaType,
		"application/json; charset=utf-16":           http.StatusUnsupportedMediaType,
		"application/json; charset=utf-8; =":         http.StatusUnsupportedMediaType,
		"application/jsonp":                          http.StatusUnsupportedMediaType,
		"application/octet-stream, application/json": http.StatusUnsupportedMediaType,
	} {
		w := send(api, "POST", "/notes", `{"note":"x"}`, "Content-Type:"+contentType)
		if status == http.StatusCreated {
			require.Equal(t, status, w.Code, "%q: %s", contentType, w.Body)
			continue
		}
		requireProblem(t, w, status, web.CodeUnsupportedMediaType)
	}
	w := send(api, "POST", "/notes", `{"note":"x"}`, "Content-Encoding: gzip")
	requireProblem(t, w, http.StatusUnsupportedMediaType, web.CodeUnsupportedMediaType)
}

func TestRegister_BodyLimit(t *testing.T) {
	api := newNotes(t)
	note := func(size int) string { return `{"note":"` + strings.Repeat("x", size-len(`{"note":""}`)) + `"}` }

	require.Equal(t, http.StatusCreated, send(api, "POST", "/notes", note(64<<10)).Code)
	for _, size := range []int{64<<10 + 1, 64<<10 + 2, 1 << 20} {
		requireProblem(t, send(api, "POST", "/notes", note(size)), http.StatusRequestEntityTooLarge, web.CodeTooLarge)

		chunked := httptest.NewRequest(http.MethodPost, "/notes", strings.NewReader(note(size)))
		chunked.ContentLength = -1
		chunked.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		api.ServeHTTP(w, chunked)
		requireProblem(t, w, http.StatusRequestEntityTooLarge, web.CodeTooLarge)
	}
}

// A length that says enough is refused before anything is read.
func TestRegister_BodyLimitByHeader(t *testing.T) {
	r := httptest.NewRequest(http.MethodPost, "/notes", iotest.ErrReader(errInside))
	r.ContentLength = 64<<10 + 1
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	newNotes(t).ServeHTTP(w, r)
	requireProblem(t, w, http.StatusRequestEntityTooLarge, web.CodeTooLarge)
}

// A schema is for the document only: what it says of a body does not decide
// what a handler gets.
func TestRegister_BodyIsNotJudgedBySchema(t *testing.T) {
	api := newAPI(t, nil)
	type input struct {
		Body struct {
			Note string `json:"note" minLength:"5"`
		}
	}
	web.Register(api, web.Operation{ID: "add", Method: http.MethodPost, Path: "/notes"},
		func(_ context.Context, in *input) (*textOutput, error) { return text("got " + in.Body.Note), nil })
	require.JSONEq(t, `{"text":"got x"}`, send(api, "POST", "/notes", `{"note":"x"}`).Body.String())
	require.JSONEq(t, `{"text":"got "}`, send(api, "POST", "/notes", `{}`).Body.String())
}

func TestRegister_MissingBody(t *testing.T) {
	api := newNotes(t)
	requireProblem(t, send(api, "POST", "/notes", ""), http.StatusBadRequest, web.CodeInvalidRequest)
	w := send(api, "PUT", "/notes", "")
	require.Equal(t, http.StatusOK, w.Code)
	require.JSONEq(t, `{"text":"true"}`, w.Body.String())
	requireProblem(t, send(api, "PUT", "/notes", "null"), http.StatusBadRequest, web.CodeInvalidRequest)
}

func TestRegister_BrokenOffBody(t *testing.T) {
	r := httptest.NewRequest(http.MethodPost, "/notes", iotest.ErrReader(errInside))
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	newNotes(t).ServeHTTP(w, r)
	p := requireProblem(t, w, http.StatusBadRequest, web.CodeInvalidRequest)
	require.Equal(t, "the body could not be read to its end", p.Detail)
}

func TestRegister_NeverRepeatsTheBody(t *testing.T) {
	api := newNotes(t)
	for _, body := range []string{
		`{"note":"hush","note":"hush"}`, `{"note":"hush"} hush`, `{"note":["hush"]}`, `hush`, `{"hush!":1}`,
	} {
		w := send(api, "POST", "/notes", body)
		requireProblem(t, w, http.StatusBadRequest, web.CodeInvalidRequest)
		require.NotContains(t, w.Body.String(), "hush", body)
	}
}

type searchInput struct {
	ID    int64  `path:"id"`
	Limit int64  `query:"limit" minimum:"1" maximum:"10" default:"5"`
	Kind  string `query:"kind" enum:"a,b"`
	Match string `header:"If-Match" maxLength:"4"`
}

func newSearch(t *testing.T, strict bool) *web.API {
	t.Helper()
	api := newAPI(t, nil)
	web.Register(api, web.Operation{ID: "search", Method: http.MethodGet, Path: "/things/{id}", StrictQuery: strict},
		func(_ context.Context, in *searchInput) (*textOutput, error) {
			return text(fmt.Sprintf("%d %d %s", in.ID, in.Limit, in.Kind)), nil
		})
	return api
}

func TestRegister_Parameters(t *testing.T) {
	api := newSearch(t, false)
	require.JSONEq(t, `{"text":"7 5 a"}`, send(api, "GET", "/things/7?kind=a&other=1", "").Body.String())
	for target, field := range map[string]string{
		"/things/seven":                "id",
		"/things/99999999999999999999": "id",
		"/things/7?limit=hush":         "limit",
		"/things/7?limit=11":           "limit",
		"/things/7?kind=hush":          "kind",
		"/things/7?kind=a&limit=0":     "limit",
	} {
		w := send(api, "GET", target, "")
		p := requireProblem(t, w, http.StatusBadRequest, web.CodeInvalidRequest)
		require.Len(t, p.Errors, 1, target)
		require.Equal(t, field, p.Errors[0].Field, target)
		require.NotContains(t, w.Body.String(), "hush")
	}
	p := requireProblem(t, send(api, "GET", "/things/7", "", "If-Match: 12345"), 400, web.CodeInvalidRequest)
	require.Equal(t, "If-Match", p.Errors[0].Field)
	p = requireProblem(t, send(api, "GET", "/things/x?limit=y", ""), 400, web.CodeInvalidRequest)
	require.Len(t, p.Errors, 2)
}

func TestRegister_StrictQuery(t *testing.T) {
	api := newSearch(t, true)
	require.Equal(t, http.StatusOK, send(api, "GET", "/things/7?kind=a", "").Code)
	p := requireProblem(t, send(api, "GET", "/things/7?knid=a", ""), 400, web.CodeInvalidRequest)
	require.Equal(t, "knid", p.Errors[0].Field)
}

func TestRegister_IgnoresAccept(t *testing.T) {
	w := send(newSearch(t, false), "GET", "/things/7", "", "Accept: image/png")
	require.Equal(t, http.StatusOK, w.Code)
	require.Equal(t, "application/json", w.Header().Get("Content-Type"))
}

func TestRegister_HandlerErrors(t *testing.T) {
	errOurs := errors.New("ours")
	api := newAPI(t, func(c *web.Config) {
		c.Translate = func(_ context.Context, err error) *web.Problem {
			if errors.Is(err, errOurs) {
				return web.AccountExists("taken")
			}
			return nil
		}
	})
	answers := map[string]error{
		"/problem":    fmt.Errorf("open: %w", web.PreconditionFailed(3, 5)),
		"/translated": fmt.Errorf("open: %w", errOurs),
		"/internal":   errInside,
		"/later":      web.Unavailable("the event store cannot be reached", 1500*1e6),
	}
	for path, err := range answers {
		getOperation(api, path, func(context.Context) (*textOutput, error) { return nil, err })
	}

	p := requireProblem(t, send(api, "GET", "/problem", ""), http.StatusPreconditionFailed, web.CodeVersionConflict)
	require.Equal(t, int64(3), *p.ExpectedVersion)
	require.Equal(t, int64(5), *p.ActualVersion)
	requireProblem(t, send(api, "GET", "/translated", ""), http.StatusConflict, web.CodeAccountExists)
	w := send(api, "GET", "/later", "")
	requireProblem(t, w, http.StatusServiceUnavailable, web.CodeUnavailable)
	require.Equal(t, "2", w.Header().Get("Retry-After"))
	w = send(api, "GET", "/internal", "")
	requireProblem(t, w, http.StatusInternalServerError, web.CodeInternal)
	require.NotContains(t, w.Body.String(), "mongodb")
}

func TestRegister_Outputs(t *testing.T) {
	type output struct {
		Status       int
		ETag         string `header:"ETag"`
		CacheControl string `header:"Cache-Control"`
		Body         *struct {
			Balance web.Number `json:"balance"`
		}
	}
	api := newAPI(t, nil)
	answer := func(path string, out *output) {
		web.Register(api, web.Operation{ID: "get" + path, Method: http.MethodGet, Path: path, Also: []int{204, 304}},
			func(context.Context, *struct{}) (*output, error) { return out, nil })
	}
	body := func(n web.Number) *struct {
		Balance web.Number `json:"balance"`
	} {
		return &struct {
			Balance web.Number `json:"balance"`
		}{n}
	}
	answer("/ok", &output{Status: 200, ETag: `"1"`, CacheControl: "no-cache", Body: body("50.0")})
	answer("/none", &output{Status: 204})
	answer("/same", &output{Status: 304, ETag: `"1"`})
	answer("/broken", &output{Status: 200, ETag: `"1"`, Body: body("NaN")})

	w := send(api, "GET", "/ok", "")
	require.Equal(t, `{"balance":50.0}`, w.Body.String())
	require.Equal(t, []string{`"1"`, "no-cache"}, []string{w.Header().Get("ETag"), w.Header().Get("Cache-Control")})
	for path, status := range map[string]int{"/none": 204, "/same": 304} {
		w = send(api, "GET", path, "")
		require.Equal(t, status, w.Code)
		require.Empty(t, w.Body.String())
		require.Empty(t, w.Header().Get("Content-Type"))
	}
	w = send(api, "GET", "/broken", "")
	requireProblem(t, w, http.StatusInternalServerError, web.CodeInternal)
	require.Empty(t, w.Header().Get("ETag"))
}

func TestRegister_SameOutputSameBytes(t *testing.T) {
	type output struct{ Body map[string]int }
	api := newAPI(t, nil)
	web.Register(api, web.Operation{ID: "map", Method: http.MethodGet, Path: "/map"},
		func(context.Context, *struct{}) (*output, error) {
			return &output{map[string]int{"a": 1, "b": 2, "c": 3, "d": 4, "e": 5, "f": 6, "g": 7, "h": 8}}, nil
		})
	require.Equal(t, `{"a":1,"b":2,"c":3,"d":4,"e":5,"f":6,"g":7,"h":8}`, send(api, "GET", "/map", "").Body.String())
}

type nameKey struct{}

func TestRegister_Admit(t *testing.T) {
	var scopes []string
	api := newAPI(t, func(c *web.Config) {
		c.Admit = func(r *http.Request, op *web.Operation) (context.Context, error) {
			scopes = append(scopes, op.Scope)
			if r.Header.Get("Authorization") == "" {
				return nil, web.Unauthenticated("send an API key")
			}
			return context.WithValue(r.Context(), nameKey{}, "ann"), nil
		}
	})
	web.Register(api, web.Operation{ID: "who", Method: http.MethodPost, Path: "/who", Scope: "command"},
		func(ctx context.Context, _ *noteInput) (*textOutput, error) {
			return text(ctx.Value(nameKey{}).(string)), nil
		})
	w := send(api, "POST", "/who", "not JSON", "Content-Type: text/plain")
	requireProblem(t, w, http.StatusUnauthorized, web.CodeUnauthenticated)
	require.Equal(t, "Bearer", w.Header().Get("WWW-Authenticate"))
	w = send(api, "POST", "/who", "{}", "Authorization: Bearer x")
	require.JSONEq(t, `{"text":"ann"}`, w.Body.String())
	require.Equal(t, []string{"command", "command"}, scopes)
}

func TestRegister_Adjust(t *testing.T) {
	api := newAPI(t, func(c *web.Config) { c.Adjust = adjust })
	web.Register(api, web.Operation{ID: "v1", Method: http.MethodPost, Path: "/api/v1/notes"},
		func(context.Context, *noteInput) (*textOutput, error) { return nil, errInside })
	for _, w := range []*httptest.ResponseRecorder{
		send(api, "POST", "/api/v1/notes", "{"),
		send(api, "POST", "/api/v1/notes", "{}"),
		send(api, "POST", "/api/v1/notes", "{}", "Content-Type: text/plain"),
		send(api, "GET", "/api/v1/notes", ""),
		send(api, "GET", "/api/v1/nothing", ""),
	} {
		require.Contains(t, w.Body.String(), `"message":"`, "status %d", w.Code)
	}
	require.NotContains(t, send(api, "GET", "/api/v2/nothing", "").Body.String(), `"message"`)
}

func TestRegister_RefusesPathsWithSlash(t *testing.T) {
	require.Panics(t, func() {
		getOperation(newAPI(t, nil), "/x/", func(context.Context) (*textOutput, error) { return text(""), nil })
	})
}

func TestNew_NamesAllFaults(t *testing.T) {
	_, err := web.New(web.Config{})
	require.ErrorContains(t, err, "Config.Title")
	require.ErrorContains(t, err, "Config.Version")
	_, err = web.New(web.Config{Title: "T", Version: "1", TrustedOrigins: []string{"example"}})
	require.ErrorContains(t, err, "origin")
}
