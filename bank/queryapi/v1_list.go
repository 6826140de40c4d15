package queryapi

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"passbook/bank/readmodel"
	"passbook/es/query"
)

// v1Output writes its answer itself, a piece at a time.
type v1Output struct {
	Body func(ctx huma.Context)
}

// v1Nothing is the answer where nothing was found: 204, without a body.
func v1Nothing() *v1Output {
	return &v1Output{Body: func(ctx huma.Context) { ctx.SetStatus(http.StatusNoContent) }}
}

// v1One is the answer with a single account.
func v1One(a readmodel.Account) (*v1Output, error) {
	encoded, err := encodeV1(a)
	if err != nil {
		return nil, err
	}
	return &v1Output{Body: func(ctx huma.Context) {
		v1Begin(ctx)
		// A failed write means that the client is gone.
		_, _ = fmt.Fprintf(ctx.BodyWriter(), `{"message":"%s","bankAccounts":[%s]}`, oneMessage, encoded)
	}}, nil
}

// v1List asks for a list and answers with it, account by account. message is
// made of their number.
func (s *service) v1List(ctx context.Context, question any, message func(count int64) string) (*v1Output, error) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	found, err := query.Ask[*readmodel.Accounts](ctx, s.questions, question)
	if err != nil {
		cancel()
		return nil, err
	}
	return &v1Output{Body: func(answer huma.Context) {
		defer cancel()
		defer found.Close()
		if found.Count() == 0 {
			answer.SetStatus(http.StatusNoContent)
			return
		}
		v1Begin(answer)
		if answer.Method() == http.MethodHead {
			return
		}
		if err := writeV1(answer, message(found.Count()), found.All()); err != nil {
			s.observer.cut(ctx, question, err)
			panic(http.ErrAbortHandler) // closes the connection: half a list must not pass for a whole one
		}
	}}, nil
}

func v1Begin(ctx huma.Context) {
	ctx.SetHeader("Content-Type", "application/json")
	ctx.SetStatus(http.StatusOK)
}

// writeV1 writes the body of an answer in pieces of some kilobytes. The messages
// have nothing in them that JSON would escape.
func writeV1(answer huma.Context, message string, accounts iter.Seq2[readmodel.Account, error]) error {
	const piece = 16 << 10
	w := bufio.NewWriterSize(answer.BodyWriter(), piece)
	// A writer that has failed goes on failing: Flush tells.
	_, _ = w.WriteString(`{"message":"` + message + `","bankAccounts":[`)
	separator := ""
	for a, err := range accounts {
		if err != nil {
			return err
		}
		encoded, err := encodeV1(a)
		if err != nil {
			return err
		}
		_, _ = w.WriteString(separator)
		if _, err := w.Write(encoded); err != nil {
			return fmt.Errorf("%w: %w", errClientGone, err)
		}
		separator = ","
	}
	_, _ = w.WriteString(`]}`)
	if err := w.Flush(); err != nil {
		return fmt.Errorf("%w: %w", errClientGone, err)
	}
	return nil
}

// errClientGone: the client has closed the connection, or was too slow for it.
var errClientGone = errors.New("the client takes no more of the answer")
