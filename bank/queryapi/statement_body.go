package queryapi

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json"

	"passbook/bank/readmodel"
	"passbook/bank/web"
)

const (
	jsonType = "application/json"
	csvType  = "text/csv"
)

// v2StatementOutput writes its answer itself: it has one of two forms.
type v2StatementOutput struct {
	Body func(ctx huma.Context)
}

// pageJSON is a page as JSON.
func pageJSON(page readmodel.Statement, next string) (*v2StatementOutput, error) {
	body := v2StatementBody{Entries: make([]v2Entry, len(page.Entries)), NextPageToken: next}
	for i, e := range page.Entries {
		body.Entries[i] = v2EntryOf(e)
	}
	encoded, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	return &v2StatementOutput{Body: func(ctx huma.Context) {
		ctx.SetHeader("Content-Type", jsonType)
		ctx.SetHeader("Vary", "Accept")
		ctx.SetStatus(http.StatusOK)
		_, _ = ctx.BodyWriter().Write(encoded) // a failed write means that the client is gone
	}}, nil
}

// pageCSV is a page as CSV, with the address of the next one.
func pageCSV(in *v2StatementInput, page readmodel.Statement, next string) *v2StatementOutput {
	return &v2StatementOutput{Body: func(ctx huma.Context) {
		if next != "" {
			ctx.SetHeader("Link", "<"+in.nextAddress(next)+`>; rel="next"`)
		}
		_ = writeCSV(beginCSV(ctx, in.ID), page.Entries) // a failed write means that the client is gone
	}}
}

// nextAddress is that of the next page, without what was waited for.
func (in *v2StatementInput) nextAddress(token string) string {
	parameters := url.Values{tokenParameter: {token}}
	for name, value := range map[string]string{"from": in.From, "to": in.To} {
		if value != "" {
			parameters.Set(name, value)
		}
	}
	if in.PageSize.Given {
		parameters.Set("pageSize", strconv.FormatInt(in.PageSize.Value, 10))
	}
	return v2Accounts + "/" + url.PathEscape(in.ID) + statementPath + "?" + parameters.Encode()
}

// wholeCSV is a statement as CSV, read piece by piece while it is sent. The first
// piece is read before anything goes out. What comes to the statement after that
// may be in it or not.
func (s *service) wholeCSV(ctx context.Context, asked FindStatement) (*v2StatementOutput, error) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	asked.Limit = statementPageMax
	piece, err := s.askStatement(ctx, asked)
	if err != nil {
		cancel()
		return nil, err
	}
	return &v2StatementOutput{Body: func(answer huma.Context) {
		defer cancel()
		w := beginCSV(answer, asked.ID)
		if answer.Method() == http.MethodHead {
			return
		}
		err := writeCSV(w, piece.Entries)
		for err == nil && piece.More {
			asked.After = piece.Entries[len(piece.Entries)-1].Version
			if piece, err = s.askStatement(ctx, asked); err == nil {
				err = writeCSV(w, piece.Entries)
			}
		}
		if err != nil {
			s.observer.cut(ctx, asked, err)
			panic(http.ErrAbortHandler) // closes the connection: a part must not pass for the whole
		}
	}}, nil
}

// beginCSV writes the header line. The id is one of an account, and so has
// nothing in it that would end the file's name.
func beginCSV(ctx huma.Context, id string) *csv.Writer {
	ctx.SetHeader("Content-Type", csvType+"; charset=utf-8; header=present")
	ctx.SetHeader("Content-Disposition", `attachment; filename="statement-`+id+`.csv"`)
	ctx.SetHeader("Vary", "Accept")
	ctx.SetStatus(http.StatusOK)
	return csvWriter(ctx.BodyWriter())
}

func csvWriter(to io.Writer) *csv.Writer {
	w := csv.NewWriter(to)
	w.UseCRLF = true
	_ = w.Write([]string{"version", "time", "kind", "reference", "amount", "balance", "currency"}) // Flush tells
	return w
}

// writeCSV writes entries, and sends them.
func writeCSV(w *csv.Writer, entries []readmodel.Entry) error {
	for _, e := range entries {
		amount := ""
		if e.Amount != nil {
			amount = e.Amount.Amount()
		}
		_ = w.Write([]string{
			strconv.FormatInt(e.Version, 10), e.Time.Format(time.RFC3339Nano), string(e.Kind), noFormula(e.Reference),
			amount, e.Balance.Amount(), e.Balance.Currency().Code(),
		}) // Flush tells
	}
	w.Flush()
	if err := w.Error(); err != nil {
		return fmt.Errorf("%w: %w", errClientGone, err)
	}
	return nil
}

// noFormula keeps a spreadsheet from calculating with a text that came from
// somebody else, the wide forms of the signs included. Texts that begin with an
// apostrophe get another, so that the one in front can always be taken away.
func noFormula(text string) string {
	if strings.IndexAny(text, "=+-@＝＋－＠'\t\r") == 0 {
		return "'" + text
	}
	return text
}

// wantsCSV tells whether an Accept header prefers CSV to JSON, which is what
// everybody gets who asks for neither. Of two that are as good, the first counts.
func wantsCSV(accept string) bool {
	best, isCSV := 0.0, false
	for one := range strings.SplitSeq(accept, ",") {
		media, parameters, err := mime.ParseMediaType(one)
		quality := 1.0
		if q, ok := parameters["q"]; ok && err == nil {
			quality, err = strconv.ParseFloat(q, 64)
		}
		if err != nil || !(quality > best) {
			continue
		}
		switch media {
		case csvType, "text/*":
			best, isCSV = quality, true
		case jsonType, "application/*", "*/*":
			best, isCSV = quality, false
		}
	}
	return isCSV
}

// documentStatement describes the two forms of the answer.
func documentStatement(api *web.API) func(*huma.Operation) {
	return func(described *huma.Operation) {
		ok := described.Responses["200"]
		ok.Content = map[string]*huma.MediaType{
			jsonType: {
				Schema: api.Schema(reflect.TypeFor[v2StatementBody]()),
				Example: jsonExample(`{"entries":[` +
					`{"version":0,"time":"2026-11-22T06:23:01.949Z","kind":"OPENED","amount":{"amount":"50.00","currency":"EUR"},` +
					`"balance":{"amount":"50.00","currency":"EUR"}},` +
					`{"version":1,"time":"2026-11-22T06:25:40.017Z","kind":"DEPOSITED","amount":{"amount":"100.10","currency":"EUR"},` +
					`"balance":{"amount":"150.10","currency":"EUR"},"reference":"Rent, May"}]}`),
			},
			csvType: {
				Schema: &huma.Schema{Type: huma.TypeString},
				Example: "version,time,kind,reference,amount,balance,currency\r\n" +
					"0,2026-11-22T06:23:01.949Z,OPENED,,50.00,50.00,EUR\r\n" +
					"1,2026-11-22T06:25:40.017Z,DEPOSITED,\"Rent, May\",100.10,150.10,EUR\r\n",
			},
		}
		ok.Headers = map[string]*huma.Param{
			"Link": {Description: `The next page of a statement as CSV, with rel="next".`, Schema: &huma.Schema{Type: huma.TypeString}},
		}
	}
}
