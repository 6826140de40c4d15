package web

import (
	"context"
	"io"
	"net/http"
	"reflect"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// shortWay returns what serves the requests of an operation without huma, or nil
// where input or output is not of the form for that; see [shortForm]. huma takes
// any form, and finds out anew with each request what to do about it, which for a
// command is more work than all else in this package.
//
// Only requests with which nothing is wrong go this way. For any other it returns
// false, having done nothing that shows, and huma finds the fault: so a refusal is
// worded in one place. What decodes, encodes and turns errors into problems is the
// same on both ways.
func shortWay[I, O any](r *route, handler func(context.Context, *I) (*O, error)) func(*exchange) bool {
	form, ok := shortFormOf(reflect.TypeFor[I](), reflect.TypeFor[O]())
	status := r.described.DefaultStatus
	if !ok || r.op.StrictQuery || status == http.StatusNoContent || status == http.StatusNotModified {
		return nil
	}
	return func(x *exchange) bool {
		in := new(I)
		if !form.read(r, x, reflect.ValueOf(in).Elem()) || form.resolves && refused(x, in) {
			x.putBack()
			return false
		}
		out, err := handler(x.ctx, in)
		switch {
		case err != nil:
			x.answer(r, http.StatusInternalServerError, &failure{err})
		case out == nil:
			x.SetStatus(status)
		default:
			x.answer(r, status, form.write(reflect.ValueOf(out).Elem(), x.w.Header()))
		}
		return true
	}
}

// refused asks an input what it finds wrong.
func refused(x *exchange, in any) bool {
	resolver := in.(huma.Resolver) //nolint:forcetypeassert // its form says so
	return len(resolver.Resolve(x)) > 0
}

// read fills in the input. It returns false where something of it is missing or
// wrong.
func (f *shortForm) read(r *route, x *exchange, in reflect.Value) bool {
	for i := range f.path {
		value := x.req.PathValue(f.path[i].name)
		if value == "" {
			return false
		}
		in.FieldByIndex(f.path[i].index).SetString(value)
	}
	for i := range f.headers {
		if values := x.req.Header[f.headers[i].name]; len(values) > 0 {
			in.FieldByIndex(f.headers[i].index).SetString(values[0])
		}
	}
	return f.body == nil || x.readBody(r, in.FieldByIndex(f.body).Addr().Interface())
}

// readBody decodes a body whose length is known. It returns false of any other, and
// of one that is not right.
func (x *exchange) readBody(r *route, into any) bool {
	length := int(x.req.ContentLength) // checkBody has bounded it
	if length <= 0 {
		return false
	}
	_ = x.SetReadDeadline(time.Now().Add(r.described.BodyReadTimeout)) // without a connection, as in a test, there is none
	data, n := make([]byte, length+1), 0                               // one more, for the end to be seen
	var end error
	for end == nil && n < len(data) {
		var more int
		more, end = x.req.Body.Read(data[n:])
		n += more
	}
	x.taken = &takenBody{ReadCloser: x.req.Body, data: data[:n], end: end}
	return n == length && end == io.EOF && decode(data[:n], into, r.ignoreUnknown) == nil
}

// putBack has the request's body read once more.
func (x *exchange) putBack() {
	if x.taken != nil {
		x.req.Body = x.taken
	}
}

// takenBody is a body of which data was read already, and the error that came with
// the last of it, if any.
type takenBody struct {
	io.ReadCloser
	data []byte
	end  error
}

// Read implements [io.Reader].
func (b *takenBody) Read(p []byte) (int, error) {
	switch {
	case len(b.data) > 0:
		n := copy(p, b.data)
		b.data = b.data[n:]
		return n, nil
	case b.end != nil:
		return 0, b.end
	}
	return b.ReadCloser.Read(p) //nolint:wrapcheck // what the body itself says
}

// write puts the output's headers into those of the answer, and returns its body.
func (f *shortForm) write(out reflect.Value, h http.Header) any {
	for i := range f.outHeaders {
		if value := out.FieldByIndex(f.outHeaders[i].index).String(); value != "" {
			h[f.outHeaders[i].name] = []string{value}
		}
	}
	return out.FieldByIndex(f.outBody).Addr().Interface()
}

// answer writes an answer with a body, or the problem that a failure becomes.
func (x *exchange) answer(r *route, status int, v any) {
	x.w.Header()["Content-Type"] = []string{"application/json"}
	body, _ := r.Transform(x, strconv.Itoa(status), v) // it makes a problem of what goes wrong, and never fails
	x.SetStatus(status)
	_ = marshalEncoded(x.w, body) // Transform returns nothing else
}
