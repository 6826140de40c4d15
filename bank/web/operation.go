package web

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/go-json-experiment/json"
)

// route stands between huma and one operation. To huma it is both the API and
// the router of that operation, so everything that huma reads or writes passes
// here: bodies in by [decode], answers out by Transform. huma's own error bodies
// are made by a function in a variable of its package; they are turned into
// problems in Transform, so that the variable, which all users of huma in the
// process share, stays as it is.
type route struct {
	huma.API
	api           *API
	op            *Operation
	described     *huma.Operation
	hasBody       bool
	ignoreUnknown bool
	// short serves a request if it can; nil where it never could.
	short func(*exchange) (served bool)
}

var (
	_ huma.API     = (*route)(nil)
	_ huma.Adapter = (*route)(nil)
)

// Adapter implements [huma.API].
func (r *route) Adapter() huma.Adapter { return r }

// ServeHTTP implements [huma.Adapter].
func (r *route) ServeHTTP(w http.ResponseWriter, req *http.Request) { r.api.ServeHTTP(w, req) }

// Handle implements [huma.Adapter]: it puts the operation on the router.
func (r *route) Handle(described *huma.Operation, next func(huma.Context)) {
	r.described = described
	r.api.site.handle(described.Method+" "+described.Path, func(w http.ResponseWriter, req *http.Request) {
		ctx := req.Context()
		if r.api.config.Admit != nil {
			admitted, err := r.api.config.Admit(req, r.op)
			if err != nil {
				p := r.api.problemOf(req, err)
				p.closes = req.ContentLength != 0
				p.write(w)
				return
			}
			ctx = admitted
		}
		if r.hasBody {
			if p := checkBody(req); p != nil {
				p.completed(req.URL.Path, r.api.config.Adjust).write(w)
				return
			}
		}
		x := &exchange{humaContext: humago.NewContext(described, req, w), ctx: ctx, req: req, w: w}
		if r.short == nil || !r.short(x) {
			next(x)
		}
	})
}

// Negotiate implements [huma.API]: there is one format, whatever is asked for. A
// client that asks for another learns more from the answer than from a 406.
func (r *route) Negotiate(string) (string, error) { return "application/json", nil }

// Unmarshal implements [huma.API]; the content type was checked before.
func (r *route) Unmarshal(_ string, data []byte, into any) error {
	return decode(data, into, r.ignoreUnknown)
}

// Transform implements [huma.API]. It runs before the status is written, and so
// is the place to encode: an answer that cannot be encoded is still a problem
// with the right status, not half a body.
func (r *route) Transform(ctx huma.Context, status string, v any) (any, error) {
	x := ctx.(*exchange) //nolint:forcetypeassert // the adapter gives huma nothing else
	switch v := v.(type) {
	case *failure:
		return x.refuse(r.api.problemOf(x.req, v.err)), nil
	case *huma.ErrorModel:
		return x.refuse(problemOfHuma(v).completed(x.req.URL.Path, r.api.config.Adjust)), nil
	}
	if status == "204" || status == "304" {
		x.w.Header().Del("Content-Type")
		return encoded(nil), nil
	}
	body, err := json.Marshal(v, json.Deterministic(true))
	if err != nil {
		return x.refuse(r.api.problemOf(x.req, err)), nil
	}
	return encoded(body), nil
}

// Marshal implements [huma.API].
func (r *route) Marshal(w io.Writer, _ string, v any) error { return marshalEncoded(w, v) }

// encoded is an answer's body as Transform left it.
type encoded []byte

// marshalEncoded writes a body. A failed write means that the client is gone,
// which is no failure of ours and nobody's to hear of.
func marshalEncoded(w io.Writer, v any) error {
	body, ok := v.(encoded)
	if !ok {
		return errors.New("web: a body that was not encoded")
	}
	_, _ = w.Write(body)
	return nil
}

// unmarshalStrict is what huma's own configuration decodes by; routes overrule
// it with the policy of their body type.
func unmarshalStrict(data []byte, into any) error { return decode(data, into, false) }

// exchange is one request and its answer as huma sees them.
type exchange struct {
	humaContext
	ctx     context.Context //nolint:containedctx // as Config.Admit left it; huma asks the exchange for it
	req     *http.Request
	w       http.ResponseWriter
	refused *Problem
	taken   *takenBody // nil unless the short way has read it
}

// humaContext frees the name Context for the method.
type humaContext huma.Context

// Context implements [huma.Context].
func (x *exchange) Context() context.Context { return x.ctx }

// SetStatus implements [huma.Context]. huma sets the status that it had in mind
// before Transform turned its error into a problem.
func (x *exchange) SetStatus(status int) {
	if x.refused != nil {
		status = x.refused.Status
	}
	x.humaContext.SetStatus(status)
}

// refuse makes the problem the answer.
func (x *exchange) refuse(p *Problem) encoded {
	x.refused = p
	p.header(x.w.Header())
	return p.encode()
}

// failure carries a handler's error through huma to Transform untouched.
type failure struct{ err error }

// Error and GetStatus implement [huma.StatusError].
func (f *failure) Error() string  { return f.err.Error() }
func (f *failure) GetStatus() int { return http.StatusInternalServerError }

// problemOf finds the answer to a handler's error.
func (a *API) problemOf(r *http.Request, err error) *Problem {
	return a.chooseProblem(r, err).completed(r.URL.Path, a.config.Adjust)
}

func (a *API) chooseProblem(r *http.Request, err error) *Problem {
	if p, ok := errors.AsType[*Problem](err); ok {
		return p
	}
	if a.config.Translate != nil {
		if p := a.config.Translate(r.Context(), err); p != nil {
			return p
		}
	}
	if r.Context().Err() != nil && errors.Is(err, context.Canceled) {
		return OutcomeUnknown("the request was cut off before it was answered")
	}
	return a.site.internal(r, err)
}

// problemOfHuma words what huma found wrong. huma's error repeats the body; only
// its places and its sentences are taken over.
func problemOfHuma(e *huma.ErrorModel) *Problem {
	switch e.Status {
	case http.StatusRequestEntityTooLarge:
		return bodyTooLarge()
	case http.StatusRequestTimeout:
		return InvalidRequest("the body did not arrive in time")
	case http.StatusInternalServerError:
		// Handlers' errors do not come here; this one is a read that broke off.
		return InvalidRequest("the body could not be read to its end")
	case http.StatusBadRequest:
		return InvalidRequest("the request needs a body: a JSON object")
	}
	faults := make([]FieldError, 0, len(e.Errors))
	for _, fault := range e.Errors {
		if fault != nil {
			faults = append(faults, fieldError(fault))
		}
	}
	switch {
	case len(faults) == 0:
		return InvalidRequest("the request is not valid")
	case len(faults) > 1:
		return InvalidRequest("several members or parameters are not valid", faults...)
	case faults[0].Field == "":
		return InvalidRequest(faults[0].Detail)
	}
	return InvalidField(faults[0].Field, faults[0].Detail)
}

// fieldError takes the place from huma's location ("query.wait") or, for the
// body, from the decoder's text.
func fieldError(fault *huma.ErrorDetail) FieldError {
	in, name, _ := strings.Cut(fault.Location, ".")
	if in != "body" {
		if !plainPath(name) { // one that nobody knows, and that looks like none
			name = ""
		}
		return FieldError{Field: name, Detail: fault.Message}
	}
	if field, detail, ok := strings.Cut(fault.Message, fieldSeparator); ok && plainPath(field) {
		return FieldError{Field: field, Detail: detail}
	}
	return FieldError{Detail: fault.Message}
}
