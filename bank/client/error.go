package client

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// Error is what a service answered instead of doing what it was asked: a problem
// of its API, or, with an empty Code, an answer that is not of its API at all,
// such as a proxy's.
type Error struct {
	Status int    // of HTTP
	Code   string // stable, for programs: "insufficient-funds"; see the APIs' documents
	Title  string // the same for all of one code
	Detail string // what is wrong with this request, for people; may be empty

	ExpectedVersion *int64 // of a version conflict
	ActualVersion   *int64 // of a version conflict
	Reached         *int64 // how far the read model is, of not-yet-visible

	Fields []FieldError // single faults, where they can be told apart
	// RetryAfter is how long the service asks to be left alone; 0 if it does not.
	RetryAfter time.Duration
	// RequestID finds the request in the service's log; may be empty.
	RequestID string
}

// FieldError is a fault of one member or parameter.
type FieldError struct {
	Field  string `json:"field"`
	Detail string `json:"detail"`
}

// Error is one line for people: what the service said, and its code.
func (e *Error) Error() string {
	text := e.Detail
	if text == "" {
		text = e.Title
	}
	if text == "" {
		text = fmt.Sprintf("the service answered %d %s", e.Status, http.StatusText(e.Status))
	}
	if len(e.Fields) > 1 || e.Detail == "" { // otherwise the detail names the one
		for _, f := range e.Fields {
			text += fmt.Sprintf("; %s: %s", f.Field, f.Detail)
		}
	}
	if e.ExpectedVersion != nil && e.ActualVersion != nil {
		text += fmt.Sprintf(": expected version %d, there is %d", *e.ExpectedVersion, *e.ActualVersion)
	}
	if e.Code != "" {
		text += " (" + e.Code + ")"
	}
	return text
}

// Refused tells whether the service understood and said no: a 4xx. Nothing has
// happened then. Any other status is a failure of the service.
func (e *Error) Refused() bool { return e.Status >= 400 && e.Status < 500 }

// CodeOf returns the code of the *Error in err, or "" if there is none.
func CodeOf(err error) string {
	if answer, ok := errors.AsType[*Error](err); ok {
		return answer.Code
	}
	return ""
}

// UnknownError says that nobody can tell whether a command was carried out: it
// may have been, once, or not at all.
type UnknownError struct {
	// Key is the command's idempotency key. The same command with it learns the
	// outcome, or is carried out if it was not. It is empty for requests that take
	// none: what they were to change tells the outcome.
	Key string
	Err error // what the last attempt ended with
}

// Error implements error.
func (e *UnknownError) Error() string {
	if e.Key == "" {
		return fmt.Sprintf("whether this was done is not known (%v): look before it is repeated", e.Err)
	}
	return fmt.Sprintf("whether this was done is not known (%v): repeat it with the idempotency key %s to find out", e.Err, e.Key)
}

// Unwrap gives Err.
func (e *UnknownError) Unwrap() error { return e.Err }

// UnreachableError says that a service could not be connected to. Nothing was
// sent.
type UnreachableError struct {
	Service string // such as "command service"
	URL     string // scheme, host and port
	Err     error
}

// Error implements error.
func (e *UnreachableError) Error() string {
	return fmt.Sprintf("cannot reach the %s at %s: %v", e.Service, e.URL, e.Err)
}

// Unwrap gives Err.
func (e *UnreachableError) Unwrap() error { return e.Err }

// lostError is a request that was sent, at least in part, and got no answer that
// could be read to its end.
type lostError struct {
	service string
	err     error
}

// Error implements error.
func (e *lostError) Error() string {
	if errors.Is(e.err, context.DeadlineExceeded) {
		return "the " + e.service + " did not answer in time"
	}
	return fmt.Sprintf("the connection to the %s was lost: %v", e.service, e.err)
}

// Unwrap gives err.
func (e *lostError) Unwrap() error { return e.err }
