package web

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// problemContentType is the media type of RFC 9457.
const problemContentType = "application/problem+json"

// Problem is the body of every answer that is a refusal or a failure, after
// RFC 9457. It is also the error that a handler returns to give that answer.
//
// A Problem that was returned or written is not changed any more by this
// package: defaults and [Config].Adjust work on a copy.
type Problem struct {
	Type    string `json:"type" doc:"Where the kind of problem is described."`
	Title   string `json:"title" doc:"The same sentence for all problems of one code."`
	Status  int    `json:"status" doc:"The HTTP status of the answer."`
	Detail  string `json:"detail,omitzero" doc:"What is wrong with this request, for people."`
	Code    Code   `json:"code"`
	Message string `json:"message,omitzero" doc:"The sentence that version-1 clients read."`

	ExpectedVersion *int64 `json:"expectedVersion,omitempty" doc:"The account version that the request was made for."`
	ActualVersion   *int64 `json:"actualVersion,omitempty" doc:"The account version there is."`
	Reached         *int64 `json:"reached,omitempty" doc:"How far the read model has come."`

	// BankAccounts puts "bankAccounts":null into the body, which version-1
	// clients of the query API read in a failure.
	BankAccounts Null `json:"bankAccounts,omitzero" hidden:"true"`

	Errors []FieldError `json:"errors,omitempty" nullable:"false" doc:"The faults one by one, where they can be told apart."`

	// RetryAfter is sent as the Retry-After header, in whole seconds rounded
	// up, where it is above zero.
	RetryAfter time.Duration `json:"-"`

	allow   []string // sent as the Allow header
	request string   // sent as the X-Request-Id header
	// closes ends the connection: who was refused before the body came need not
	// be waited for until it has.
	closes bool
}

// Null is a member that is null where it is true, and missing where it is false.
type Null bool

// MarshalJSON implements [json.Marshaler].
func (Null) MarshalJSON() ([]byte, error) { return []byte("null"), nil }

// FieldError says what is wrong with one member or parameter. Field is its name
// as the client wrote it, with dots between the levels ("amount.currency");
// Detail must not repeat its value.
type FieldError struct {
	Field  string `json:"field,omitzero" doc:"The member or parameter, with dots between the levels."`
	Detail string `json:"detail" doc:"What is wrong with it."`
}

// NewProblem returns a problem of the code with the code's status. The detail
// goes to the client as it is: it names the fault in one sentence and carries
// neither values of the request nor internal text.
func NewProblem(code Code, detail string) *Problem {
	return &Problem{Code: code, Status: code.Status(), Title: code.Title(), Detail: detail}
}

// Error returns code and detail; it is meant for logs and tests.
func (p *Problem) Error() string {
	if p.Detail == "" {
		return string(p.Code)
	}
	return string(p.Code) + ": " + p.Detail
}

// completed returns a copy of the problem as it goes on the wire.
func (p *Problem) completed(path string, adjust func(string, *Problem)) *Problem {
	c := *p
	if c.Status == 0 {
		c.Status = c.Code.Status()
	}
	if c.Title == "" {
		c.Title = c.Code.Title()
	}
	if adjust != nil {
		adjust(path, &c)
	}
	if c.Title == "" {
		c.Title = http.StatusText(c.Status)
	}
	if c.Type == "" {
		c.Type = docsPath + "#" + string(c.Code)
	}
	return &c
}

// header replaces whatever a handler has set for another answer.
func (p *Problem) header(h http.Header) {
	clear(h)
	setBaseHeader(h)
	h.Set("Content-Type", problemContentType)
	if p.RetryAfter > 0 {
		seconds := (p.RetryAfter + time.Second - 1) / time.Second
		h.Set("Retry-After", strconv.FormatInt(int64(seconds), 10))
	}
	if len(p.allow) > 0 {
		h.Set("Allow", strings.Join(p.allow, ", "))
	}
	if p.request != "" {
		h.Set(requestIDHeader, p.request)
	}
	if p.closes {
		h.Set("Connection", "close")
	}
	if p.Status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", "Bearer")
	}
}

// encode writes the problem as JSON. A detail that is not UTF-8 must not turn a
// refusal into a failure, so such bytes become U+FFFD.
func (p *Problem) encode() []byte {
	body, err := json.Marshal(p, jsontext.AllowInvalidUTF8(true))
	if err != nil {
		// A struct of strings and integers always encodes.
		panic("web: encode problem: " + err.Error())
	}
	return body
}

// write answers with the problem; nothing may have been written before. Write
// errors mean that the client is gone, and are nobody's concern any more.
func (p *Problem) write(w http.ResponseWriter) {
	p.header(w.Header())
	w.WriteHeader(p.Status)
	_, _ = w.Write(p.encode()) //nolint:gosec // it is JSON with a content type of its own
}
