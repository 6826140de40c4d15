package queryapi

import (
	"context"
	"errors"
	"time"

	"passbook/bank/readmodel"
	"passbook/bank/web"
	"passbook/es/event"
	"passbook/es/query"
)

// FindStatement asks for a page of an account's statement. It is answered by a
// readmodel.Statement, or with readmodel.ErrNotFound.
type FindStatement struct{ readmodel.StatementQuery }

func findStatement(accounts *readmodel.Reader) func(context.Context, FindStatement) (readmodel.Statement, error) {
	return func(ctx context.Context, q FindStatement) (readmodel.Statement, error) {
		return accounts.FindStatement(ctx, &q.StatementQuery)
	}
}

const (
	statementPath = "/statement"
	// statementPage is how many entries a page has where nothing else is asked
	// for, and statementPageMax at most.
	statementPage    = 50
	statementPageMax = 1000
)

type v2StatementInput struct {
	Waiting

	ID         string  `path:"id" doc:"The account's id." example:"97ebd5d8-9c2f-4dda-b59a-a1c62c20a6a8"`
	MinVersion Integer `query:"minVersion" minimum:"0" doc:"Answer from a state in which the account has this version at least. An account that is not known yet is waited for too."`
	From       string  `query:"from" format:"date-time" doc:"Entries from this moment on, inclusive." example:"2026-11-01T00:00:00Z"`
	To         string  `query:"to" format:"date-time" doc:"Entries before this moment: it is exclusive, so that one statement begins where another ends." example:"2026-12-01T00:00:00Z"`
	PageSize   Integer `query:"pageSize" minimum:"1" maximum:"1000" doc:"How many entries a page has at most: 50 if it is not given. As CSV, everything comes at once if neither this nor pageToken is given."`
	PageToken  string  `query:"pageToken" doc:"nextPageToken of the page before, with from and to as they were then."`
	Accept     string  `header:"Accept" doc:"text/csv for CSV, otherwise JSON." example:"text/csv"`
}

// v2Entry is a line of a statement in an answer.
type v2Entry struct {
	Version   int64     `json:"version"`
	Time      time.Time `json:"time"`
	Kind      string    `json:"kind" enum:"OPENED,DEPOSITED,WITHDRAWN,CLOSED"`
	Amount    *v2Money  `json:"amount,omitempty" nullable:"false" doc:"What was moved, unsigned: the kind says which way. Missing where nothing was."`
	Balance   v2Money   `json:"balance" doc:"The balance afterwards."`
	Reference string    `json:"reference,omitzero"`
}

type v2StatementBody struct {
	Entries       []v2Entry `json:"entries" nullable:"false" doc:"Oldest first."`
	NextPageToken string    `json:"nextPageToken,omitzero" doc:"Leads to the next page; missing on the last one."`
}

func (s *service) v2FindStatement(api *web.API) {
	op := v2Operation(web.Operation{
		ID: "findStatement", Path: v2Accounts + "/{id}" + statementPath, Summary: "What happened in an account",
		Doc: "Oldest first, an entry for each event. From and to take an unbroken run of versions: an entry whose time is " +
			"before that of one that stands before it, as imported accounts may have them, counts with that one's time. " +
			"What is once in a statement stays as it is.\n\n" +
			"As CSV (RFC 4180, UTF-8, a header line) without pageSize and pageToken the whole statement is sent, in pieces; one that " +
			"cannot be sent to its end is cut. With either of them it is a page, and the header Link leads to the next one. " +
			"Spreadsheets take a text that begins with = + - or @ for a formula, so a reference that begins with one of them, or " +
			"with an apostrophe, has an apostrophe put in front: take one away to have it as it was given.",
	}, web.CodeAccountNotFound)
	op.Document = documentStatement(api)
	web.Register(api, op, s.v2Statement)
}

func (s *service) v2Statement(ctx context.Context, in *v2StatementInput) (*v2StatementOutput, error) {
	asked, err := in.question()
	if err != nil {
		return nil, err
	}
	if err := s.await(ctx, in.Waiting, awaited{id: in.ID, version: in.MinVersion}); err != nil {
		return nil, err
	}
	asCSV := wantsCSV(in.Accept)
	if asCSV && !in.PageSize.Given && in.PageToken == "" {
		return s.wholeCSV(ctx, asked)
	}
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	page, err := s.askStatement(ctx, asked)
	if err != nil {
		return nil, err
	}
	next := ""
	if page.More {
		if next, err = pageToken(in.walk(), page.Entries[len(page.Entries)-1].Version); err != nil {
			return nil, err
		}
	}
	if asCSV {
		return pageCSV(in, page, next), nil
	}
	return pageJSON(page, next)
}

func (s *service) askStatement(ctx context.Context, asked FindStatement) (readmodel.Statement, error) {
	page, err := query.Ask[readmodel.Statement](ctx, s.questions, asked)
	if errors.Is(err, readmodel.ErrNotFound) {
		return page, accountNotFound()
	}
	return page, err
}

// question judges the parameters.
func (in *v2StatementInput) question() (FindStatement, error) {
	var wrong faults
	q := FindStatement{readmodel.StatementQuery{
		ID: in.ID, From: wrong.instant("from", in.From), To: wrong.instant("to", in.To),
		After: event.NoVersion, Limit: statementPage,
	}}
	if in.From != "" && in.To != "" && len(wrong) == 0 && q.From.After(q.To) {
		wrong.add("from", "must not be after to")
	}
	if err := wrong.err(); err != nil {
		return q, err
	}
	if in.PageSize.Given {
		q.Limit = int(in.PageSize.Value)
	}
	if in.PageToken != "" {
		return q, readPageToken(in.PageToken, in.walk(), &q.After)
	}
	return q, nil
}

// walk is what must stay the same from page to page. The size of a page may
// change on the way.
func (in *v2StatementInput) walk() any {
	return []string{v2Accounts, statementPath, in.ID, in.From, in.To}
}

func v2EntryOf(e readmodel.Entry) v2Entry {
	entry := v2Entry{
		Version: e.Version, Time: e.Time, Kind: string(e.Kind), Balance: v2MoneyOf(e.Balance), Reference: e.Reference,
	}
	if e.Amount != nil {
		amount := v2MoneyOf(*e.Amount)
		entry.Amount = &amount
	}
	return entry
}
