package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// How much of an answer is read at most. The largest page that the APIs give,
// 1,000 entries, stays well below.
const (
	answerBytesMax  = 16 << 20
	problemBytesMax = 64 << 10
)

// request is one call as it is sent, once or several times.
type request struct {
	service *service
	method  string
	address string
	header  map[string]string
	body    []byte        // JSON; nil for none
	patient time.Duration // how long one attempt may take; 0: as long as the call
}

// answer is a success.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// send makes one attempt. Its error is an *Error, an *UnreachableError, a
// *lostError, or the context's own where nothing was sent.
func (c *Client) send(ctx context.Context, r *request) (*answer, error) {
	if r.patient > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, r.patient)
		defer cancel()
	}
	sent, err := http.NewRequestWithContext(ctx, r.method, r.address, bytes.NewReader(r.body))
	if err != nil {
		return nil, fmt.Errorf("client: %w", err)
	}
	for name, value := range r.header {
		sent.Header.Set(name, value)
	}
	if r.body != nil {
		sent.Header.Set("Content-Type", "application/json")
	}
	sent.Header.Set("Accept", "application/json")
	sent.Header.Set("User-Agent", r.service.userAgent)
	if r.service.key != "" {
		sent.Header.Set("Authorization", "Bearer "+r.service.key)
	}
	response, err := c.http.Do(sent)
	if err != nil {
		return nil, r.service.failure(err)
	}
	defer func() { _ = response.Body.Close() }() // what is left of it is not wanted
	return r.service.read(response)
}

// failure tells a request that was not sent from one that may have been.
func (s *service) failure(err error) error {
	// What net/http adds, the method and the address, is for programmers.
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		err = wrapped.Err
	}
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "dial" {
		reason := op.Err
		if lookup, ok := errors.AsType[*net.DNSError](err); ok {
			reason = lookup
		}
		return &UnreachableError{Service: s.name, URL: s.base.Scheme + "://" + s.base.Host, Err: reason}
	}
	return &lostError{service: s.name, err: err}
}

// read takes an answer apart.
func (s *service) read(response *http.Response) (*answer, error) {
	switch status := response.StatusCode; {
	case status >= 200 && status < 300:
		body, err := io.ReadAll(io.LimitReader(response.Body, answerBytesMax+1))
		if err != nil {
			return nil, &lostError{service: s.name, err: err}
		}
		if len(body) > answerBytesMax {
			return nil, s.strange(response, fmt.Sprintf("the %s answered with more than %d MiB", s.name, answerBytesMax>>20))
		}
		return &answer{status: status, header: response.Header, body: body}, nil
	case status >= 300 && status < 400:
		return nil, s.strange(response, fmt.Sprintf("the %s at %s://%s answered with a redirect (%d), which is not followed: use the address that it leads to",
			s.name, s.base.Scheme, s.base.Host, status))
	}
	return nil, s.problem(response)
}

// strange is an answer that is not of the API.
func (s *service) strange(response *http.Response, detail string) *Error {
	return &Error{Status: response.StatusCode, Detail: detail}
}

// problem reads a refusal or failure. One that is not of the API, or that breaks
// off, is known by its status alone.
func (s *service) problem(response *http.Response) *Error {
	e := &Error{
		Status:     response.StatusCode,
		RetryAfter: retryAfter(response.Header.Get("Retry-After"), time.Now()),
		RequestID:  response.Header.Get("X-Request-Id"),
	}
	media, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type")) // "" is no problem's
	body, err := io.ReadAll(io.LimitReader(response.Body, problemBytesMax))
	var problem struct {
		Code            string       `json:"code"`
		Title           string       `json:"title"`
		Detail          string       `json:"detail"`
		ExpectedVersion *int64       `json:"expectedVersion"`
		ActualVersion   *int64       `json:"actualVersion"`
		Reached         *int64       `json:"reached"`
		Errors          []FieldError `json:"errors"`
	}
	if media != "application/problem+json" || err != nil || json.Unmarshal(body, &problem) != nil {
		e.Detail = fmt.Sprintf("the %s at %s://%s answered %d %s, and not in the way of this API",
			s.name, s.base.Scheme, s.base.Host, e.Status, http.StatusText(e.Status))
		return e
	}
	e.Code, e.Title, e.Detail, e.Fields = problem.Code, problem.Title, problem.Detail, problem.Errors
	e.ExpectedVersion, e.ActualVersion, e.Reached = problem.ExpectedVersion, problem.ActualVersion, problem.Reached
	return e
}

// decode reads a success; one that cannot be read is an *Error with the status
// of a success. Members that this package does not know are left out:
// services are upgraded before their clients.
func (s *service) decode(a *answer, into any) error {
	err := json.Unmarshal(a.body, into)
	if err == nil && !utf8.Valid(a.body) {
		err = errors.New("it is not UTF-8")
	}
	if err != nil {
		return &Error{
			Status: a.status,
			Detail: fmt.Sprintf("the %s at %s://%s gave an answer that cannot be read: %v", s.name, s.base.Scheme, s.base.Host, err),
		}
	}
	return nil
}

// retryAfter reads the header: seconds or a date. What is neither counts as 0.
func retryAfter(value string, now time.Time) time.Duration {
	if seconds, err := strconv.ParseUint(strings.TrimSpace(value), 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil {
		return max(at.Sub(now), 0)
	}
	return 0
}
