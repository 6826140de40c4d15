package web_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/danielgtaylor/huma/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"passbook/bank/web"
)

// Common is embedded in inputs, as the headers of every command are.
type Common struct {
	Key   string `header:"x-key" doc:"A \"key\"."`
	Trace string `header:"traceparent"`
	seen  bool
}

func (c *Common) Resolve(ctx huma.Context) []error {
	c.seen = true
	keys := 0
	ctx.EachHeader(func(name, _ string) {
		if name == "X-Key" {
			keys++
		}
	})
	if keys > 1 || c.Key == "refused" {
		return []error{&huma.ErrorDetail{Location: "header.X-Key", Message: "must be another"}}
	}
	return nil
}

type CommonOutput struct {
	ETag string `header:"etag"`
}

type moveInput struct {
	Common
	ID   string `path:"id" doc:"The account's id."`
	Body struct {
		Amount *money     `json:"amount"`
		Number web.Number `json:"number,omitempty"`
		Text   string     `json:"text,omitempty" minLength:"9"`
	}
}

type moveOutput struct {
	CommonOutput
	Extra string `header:"X-Extra"`
	Body  struct {
		ID, Key, Trace, Text string
		Amount               *money
		Number               web.Number `json:",omitzero"`
	}
}

func move(_ context.Context, in *moveInput) (*moveOutput, error) {
	if !in.seen {
		return nil, errors.New("the input was not asked")
	}
	switch in.ID {
	case "none":
		return nil, nil //nolint:nilnil // that is what is tried
	case "fails":
		return nil, errInside
	case "refuses":
		return &moveOutput{Extra: "gone"}, web.NotFound("there is no such thing")
	case "unwritable":
		in.Body.Number = "1e" // is no number
	}
	out := &moveOutput{Extra: in.Key}
	out.ETag = `"` + in.ID + `"`
	out.Body.ID, out.Body.Key, out.Body.Trace, out.Body.Text = in.ID, in.Key, in.Trace, in.Body.Text
	out.Body.Amount, out.Body.Number = in.Body.Amount, in.Body.Number
	return out, nil
}

// bothWays returns one API whose routes take the short way and one that is the same,
// but for something that only huma does, which the requests here do not touch.
func bothWays(t *testing.T) (short, long http.Handler) {
	t.Helper()
	require.True(t, web.HasShortForm[moveInput, moveOutput]())
	ways := make([]http.Handler, 2)
	for i := range ways {
		api := newAPI(t, nil)
		op := web.Operation{ID: "move", Method: http.MethodPost, Path: "/things/{id}/moves", Status: http.StatusCreated, StrictQuery: i == 1}
		web.Register(api, op, move)
		type shut struct {
			Common
			ID string `path:"id"`
		}
		web.Register(api, web.Operation{ID: "shut", Method: http.MethodDelete, Path: "/things/{id}", StrictQuery: i == 1},
			func(ctx context.Context, in *shut) (*moveOutput, error) {
				return move(ctx, &moveInput{Common: in.Common, ID: in.ID})
			})
		ways[i] = api
	}
	return ways[0], ways[1]
}

// requireSame sends a request both ways. make makes it anew each time.
func requireSame(t require.TestingT, short, long http.Handler, what string, request func() *http.Request) *httptest.ResponseRecorder {
	answers := make([]*httptest.ResponseRecorder, 2)
	for i, api := range []http.Handler{short, long} {
		answers[i] = httptest.NewRecorder()
		r := request()
		r.Header.Set("X-Request-Id", "the-same")
		api.ServeHTTP(answers[i], r)
	}
	require.Equal(t, answers[1].Code, answers[0].Code, what)
	require.Equal(t, answers[1].Body.String(), answers[0].Body.String(), what)
	require.Equal(t, answers[1].Result().Header, answers[0].Result().Header, what)
	return answers[0]
}

func TestShortWay_AnswersAsHumaDoes(t *testing.T) {
	short, long := bothWays(t)
	const body = `{"amount":{"amount":"12.50","currency":"EUR"},"number":1.50,"text":"x"}`
	for name, c := range map[string]struct {
		target, body string
		headers      []string
		status       int
	}{
		"all":              {"/things/a/moves", body, []string{"x-key", "k", "Traceparent", "t"}, 201},
		"slash and escape": {"/things/%C3%A4%2Fb/moves/", body, nil, 201},
		"header empty":     {"/things/a/moves", body, []string{"X-Key", ""}, 201},
		"query":            {"/things/a/moves?", body, nil, 201},
		"no output":        {"/things/none/moves", body, nil, 201},
		"failure":          {"/things/fails/moves", body, nil, 500},
		"problem":          {"/things/refuses/moves", body, nil, 404},
		"cannot be sent":   {"/things/unwritable/moves", body, nil, 500},
		"refused header":   {"/things/a/moves", body, []string{"X-Key", "refused"}, 400},
		"header twice":     {"/things/a/moves", body, []string{"X-Key", "a", "X-Key", "b"}, 400},
		"two faults":       {"/things/a/moves", `{"amount":7}`, []string{"X-Key", "refused"}, 400},
		"no body":          {"/things/a/moves", "", nil, 400},
		"null":             {"/things/a/moves", "null", nil, 400},
		"unknown":          {"/things/a/moves", `{"tekst":"x"}`, nil, 400},
		"twice":            {"/things/a/moves", `{"text":"x","text":"y"}`, nil, 400},
		"more":             {"/things/a/moves", body + "{}", nil, 400},
		"largest":          {"/things/a/moves", `{"text":"` + strings.Repeat("x", 64<<10-11) + `"}`, nil, 201},
		"too large":        {"/things/a/moves", `{"text":"` + strings.Repeat("x", 64<<10-10) + `"}`, nil, 413},
	} {
		answer := requireSame(t, short, long, name, func() *http.Request { return post(c.target, strings.NewReader(c.body), c.headers...) })
		require.Equal(t, c.status, answer.Code, name)
	}
	requireProblem(t, send(long, "POST", "/things/a/moves?more=1", body), http.StatusBadRequest, web.CodeInvalidRequest)
	for target, status := range map[string]int{"/things/a": 200, "/things/none": 200, "/things/refuses": 404, "/things/a/b": 404} {
		answer := requireSame(t, short, long, target, func() *http.Request { return httptest.NewRequest(http.MethodDelete, target, nil) })
		require.Equal(t, status, answer.Code, target)
	}
}

func post(target string, body io.Reader, headers ...string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, target, body)
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	return r
}

// What breaks off while it is read, and what has no length, is for huma.
func TestShortWay_Bodies(t *testing.T) {
	short, long := bothWays(t)
	const text, whole = `{"text":"x"}`, int64(len(`{"text":"x"}`))
	slow := func() io.Reader { return iotest.TimeoutReader(iotest.OneByteReader(strings.NewReader(text))) }
	broken := iotest.ErrReader(errInside)
	for name, c := range map[string]struct {
		body   func() io.Reader
		length int64
		status int
	}{
		"whole":         {func() io.Reader { return strings.NewReader(text) }, whole, 201},
		"in pieces":     {func() io.Reader { return iotest.OneByteReader(strings.NewReader(text)) }, whole, 201},
		"end with data": {func() io.Reader { return iotest.DataErrReader(strings.NewReader(text)) }, whole, 201},
		"chunked":       {func() io.Reader { return strings.NewReader(text) }, -1, 201},
		"nothing":       {func() io.Reader { return strings.NewReader("") }, -1, 400},
		"breaks off":    {func() io.Reader { return io.MultiReader(strings.NewReader(text[:5]), broken) }, whole, 400},
		"too late":      {func() io.Reader { return io.MultiReader(strings.NewReader(text), broken) }, whole, 400},
		"longer":        {func() io.Reader { return strings.NewReader(text + text) }, whole, 400},
		"shorter":       {func() io.Reader { return strings.NewReader(text) }, whole + 1, 201}, // on a connection it breaks off
		"cut":           {func() io.Reader { return strings.NewReader(text[:5]) }, whole, 400},
		"times out":     {slow, whole, 400},
	} {
		answer := requireSame(t, short, long, name, func() *http.Request {
			r := post("/things/a/moves", c.body())
			r.ContentLength = c.length
			return r
		})
		assert.Equal(t, c.status, answer.Code, name)
	}
}

func TestShortWay_AnyBody(t *testing.T) {
	short, long := bothWays(t)
	token := rapid.SampledFrom([]string{
		`{`, `}`, `[`, `:`, `,`, ` `, `"amount"`, `"currency"`, `"text"`, `"number"`, `"Text"`, `"x"`, `"\ud800"`, "\xff", `1.5`, `null`, `true`,
		`{"amount":"1","currency":"EUR"}`, `"text":"y"`, `"amount":{"amount":"1","currency":"EUR"}`, `"number":12`,
	})
	rapid.Check(t, func(t *rapid.T) {
		body := strings.Join(rapid.SliceOf(token).Draw(t, "tokens"), "")
		if rapid.Bool().Draw(t, "object") {
			body = "{" + body + "}"
		}
		requireSame(t, short, long, body, func() *http.Request { return post("/things/a/moves", strings.NewReader(body)) })
	})
}

type plainOutput struct{ Body struct{} }

type deep struct {
	Deep []struct {
		Text string `json:"text" default:"x"`
	} `json:"deep"`
}

type judged struct{ Text string }

func (*judged) Resolve(huma.Context) []error { return nil }

// Whatever huma does more for a type is huma's to do.
func TestShortWay_OnlyForItsForm(t *testing.T) {
	require.True(t, web.HasShortForm[struct{}, plainOutput]())
	require.False(t, web.HasShortForm[struct {
		ID string `path:"id" maxLength:"3"`
	}, plainOutput]())
	require.False(t, web.HasShortForm[struct {
		ID int64 `path:"id"`
	}, plainOutput]())
	require.False(t, web.HasShortForm[struct {
		Wait string `query:"wait"`
	}, plainOutput]())
	require.False(t, web.HasShortForm[struct{ RawBody []byte }, plainOutput]())
	require.False(t, web.HasShortForm[struct{ *Common }, plainOutput]())
	require.False(t, web.HasShortForm[struct {
		Body *struct{} // may be missing
	}, plainOutput]())
	require.False(t, web.HasShortForm[struct{ Body deep }, plainOutput]())
	require.False(t, web.HasShortForm[struct{ Body map[string]judged }, plainOutput]())
	require.False(t, web.HasShortForm[struct{ Body struct{ Members []*judged } }, plainOutput]())
	require.False(t, web.HasShortForm[struct{ placed }, plainOutput](), "not exported: huma does not look into it")
	require.False(t, web.HasShortForm[Placed, plainOutput]())
	require.False(t, web.HasShortForm[struct{ Placed }, plainOutput]())
	require.False(t, web.HasShortForm[struct {
		Common
		Placed
	}, plainOutput](), "both are asked, and the input has neither's method")
	require.True(t, web.HasShortForm[struct{ Body tree }, plainOutput]())
	require.False(t, web.HasShortForm[struct{}, struct{}](), "no body")
	require.False(t, web.HasShortForm[struct{}, struct {
		Status int
		Body   struct{}
	}]())
	require.False(t, web.HasShortForm[struct{}, struct {
		Type string `header:"content-type"`
		Body struct{}
	}]())
	require.False(t, web.HasShortForm[struct{}, struct{ Body []byte }]())
	require.False(t, web.HasShortForm[struct{}, struct{ Body filtered }]())
}

type placed struct{}

type Placed struct{}

func (*Placed) Resolve(huma.Context, *huma.PathBuffer) []error { return nil }

type tree struct{ Children []tree }

type filtered struct{}

func (filtered) ContentType(string) string { return "text/plain" }

// An input that is asked itself speaks for what is embedded in it.
func TestShortWay_Resolver(t *testing.T) {
	require.True(t, web.HasShortForm[outerInput, moveOutput]())
	ways := make([]http.Handler, 2)
	for i := range ways {
		api := newAPI(t, nil)
		web.Register(api, web.Operation{ID: "outer", Method: http.MethodDelete, Path: "/things/{id}", StrictQuery: i == 1},
			func(ctx context.Context, in *outerInput) (*moveOutput, error) {
				in.seen = true
				return move(ctx, &moveInput{Common: in.Common, ID: in.ID})
			})
		ways[i] = api
	}
	for target, status := range map[string]int{"/things/a": 200, "/things/outer": 400} {
		answer := requireSame(t, ways[0], ways[1], target, func() *http.Request {
			r := httptest.NewRequest(http.MethodDelete, target, nil)
			r.Header.Set("X-Key", "refused")
			return r
		})
		require.Equal(t, status, answer.Code, target)
	}
}

type outerInput struct {
	Common
	ID string `path:"id"`
}

func (in *outerInput) Resolve(huma.Context) []error {
	if in.ID == "outer" {
		return []error{&huma.ErrorDetail{Location: "path.id", Message: "must be another"}}
	}
	return nil
}
