package web

import (
	"context"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// Operation is one route of an API.
type Operation struct {
	ID      string // operationId of the document, unique in the API
	Method  string // GET also answers HEAD
	Path    string // "/api/v2/accounts/{id}", without a trailing slash
	Summary string // one line
	Doc     string // optional, Markdown
	Tags    []string

	// Scope is what a caller must hold; Config.Admit enforces it. Empty: open.
	Scope string

	// Status is that of a success: 0 is 200, or 204 where the output has no
	// Body. An output with a Status field chooses for itself; Also lists the
	// other statuses that it may choose, for the document.
	Status int
	Also   []int

	// Problems lists, for the document, the codes that the handler answers with,
	// beside those that every operation may answer with. Codes that this package
	// does not know are described by Document.
	Problems []Code

	// StrictQuery refuses query parameters that the input does not have.
	StrictQuery bool

	// Document has the last word on what the document says of the operation,
	// after input and output were described. Optional.
	Document func(*huma.Operation)
}

// Register adds an operation. Input and output are structs in huma's manner:
//
//	type depositInput struct {
//		ID   string `path:"id"`
//		Key  string `header:"Idempotency-Key"`
//		Wait string `query:"wait"`
//		Body depositBody           // *depositBody: the body may be missing
//	}
//
//	type depositOutput struct {
//		Status int                 // optional: overrules Operation.Status
//		ETag   string `header:"ETag"`
//		Body   depositAnswer       // []byte with a Content-Type field: as it is
//	}
//
// Parameters are checked by the tags of their fields (minimum, enum …), which
// the document shows too; numbers are int64 or uint64, since narrower ones are
// cut off. Bodies are decoded strictly and not checked further: that is the
// handler's part. A body type takes no unknown members unless it carries
// `additionalProperties:"true"` on a field named _.
//
// A handler answers with an output, or with an error: a *Problem as it is, any
// other through Config.Translate. A nil output gives Operation.Status without a
// body.
//
// Register panics on an operation that cannot be (a route or an id twice, an
// input of an unknown form): such a program is wrong and must not start.
func Register[I, O any](a *API, op Operation, handler func(context.Context, *I) (*O, error)) {
	if strings.HasSuffix(op.Path, "/") {
		panic("web: path " + op.Path + " ends in a slash: requests with one find the route without")
	}
	r := &route{API: a.huma, api: a, op: &op}
	if body, ok := reflect.TypeFor[I]().FieldByName("Body"); ok {
		r.hasBody = true
		r.ignoreUnknown = ignoresUnknown(body.Type)
	}
	huma.Register(r, r.describe(), func(ctx context.Context, in *I) (*O, error) {
		out, err := handler(ctx, in)
		if err != nil {
			return nil, &failure{err}
		}
		return out, nil
	})
	r.short = shortWay(r, handler)
	if op.Document != nil {
		op.Document(r.described)
	}
}

// describe words the operation in huma's terms.
func (r *route) describe() huma.Operation {
	op := r.op
	described := huma.Operation{
		OperationID:                  op.ID,
		Method:                       op.Method,
		Path:                         op.Path,
		Summary:                      op.Summary,
		Description:                  op.Doc,
		Tags:                         op.Tags,
		DefaultStatus:                op.Status,
		SkipValidateBody:             true,
		RejectUnknownQueryParameters: op.StrictQuery,
		// huma refuses a body that reaches its limit, not one that passes it.
		MaxBodyBytes: bodyBytesMax + 1,
		Responses:    r.problemResponses(),
	}
	for _, status := range op.Also {
		described.Responses[strconv.Itoa(status)] = &huma.Response{Description: http.StatusText(status)}
	}
	if op.Scope != "" {
		r.api.documentKeys()
		described.Security = []map[string][]string{{bearerScheme: {op.Scope}}}
	}
	return described
}

// problemResponses describes the refusals, one entry for each status, with the
// statuses that Config.Adjust gives them.
func (r *route) problemResponses() map[string]*huma.Response {
	byStatus := map[string][]Code{}
	for _, code := range r.codes() {
		r.api.used[code] = true
		p := NewProblem(code, "").completed(r.op.Path, r.api.config.Adjust)
		status := strconv.Itoa(p.Status)
		byStatus[status] = append(byStatus[status], code)
	}
	schemas := r.api.huma.OpenAPI().Components.Schemas
	content := map[string]*huma.MediaType{
		problemContentType: {Schema: schemas.Schema(reflect.TypeFor[Problem](), true, "")},
	}
	responses := map[string]*huma.Response{}
	for status, codes := range byStatus {
		var text strings.Builder
		for i, code := range codes {
			if i > 0 {
				text.WriteString(", ")
			}
			text.WriteString(string(code))
		}
		responses[status] = &huma.Response{Description: text.String(), Content: content}
	}
	return responses
}

// codes returns the codes that the operation can answer with, sorted, so that
// the document does not depend on the order in which they were listed.
func (r *route) codes() []Code {
	codes := append([]Code{CodeInvalidRequest, CodeInternal}, r.op.Problems...)
	if r.hasBody {
		codes = append(codes, CodeTooLarge, CodeUnsupportedMediaType)
	}
	if r.op.Scope != "" {
		codes = append(codes, CodeUnauthenticated, CodeForbidden)
	}
	slices.Sort(codes)
	return slices.Compact(codes)
}
