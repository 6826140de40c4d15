package queryapi

import (
	"context"
	"errors"
	"strings"

	"passbook/bank/readmodel"
	"passbook/bank/web"
	"passbook/contract/account"
	"passbook/es/query"
)

// FindAccounts asks for a page of accounts, open and closed. It is answered by a
// readmodel.Page, or with readmodel.ErrSeveralCurrencies.
type FindAccounts struct{ readmodel.PageQuery }

func findAccounts(accounts *readmodel.Reader) func(context.Context, FindAccounts) (readmodel.Page, error) {
	return func(ctx context.Context, q FindAccounts) (readmodel.Page, error) {
		return accounts.FindPage(ctx, &q.PageQuery)
	}
}

type v2AccountsInput struct {
	Waiting

	Holder     string `query:"holder" doc:"The holder's whole name: case and spaces count." example:"John Doe"`
	Type       string `query:"type" enum:"SAVINGS,CURRENT"`
	Status     string `query:"status" enum:"OPEN,CLOSED" doc:"Without, accounts that are closed are listed too."`
	Currency   string `query:"currency" doc:"ISO 4217." example:"EUR"`
	MinBalance string `query:"minBalance" doc:"Inclusive. Needs the currency where accounts have several." example:"0.01"`
	MaxBalance string `query:"maxBalance" doc:"Inclusive. Needs the currency where accounts have several." example:"99.95"`
	Sort       string `query:"sort" enum:"createdAt,-createdAt,balance,-balance,accountHolder,-accountHolder" default:"createdAt" doc:"Descending with - in front. Equal ones follow by their ids, holders by the bytes of their names, balances by number whatever the currency."`
	PageSize   int64  `query:"pageSize" minimum:"1" maximum:"1000" default:"50" doc:"How many accounts a page has at most."`
	PageToken  string `query:"pageToken" doc:"nextPageToken of the page before, with all filters and the order as they were then."`
}

type v2AccountsOutput struct {
	Body v2AccountsBody
}

type v2AccountsBody struct {
	Accounts      []v2Account `json:"accounts" nullable:"false"`
	NextPageToken string      `json:"nextPageToken,omitzero" doc:"Leads to the next page; missing on the last one."`
}

func (s *service) v2FindAccounts(api *web.API) {
	op := v2Operation(web.Operation{
		ID: "findAccounts", Path: v2Accounts, Summary: "Accounts, page by page",
		Doc: "Each page is as of its own moment. By createdAt or accountHolder, a walk from page to page sees every account " +
			"that was there all the while exactly once, also while others are opened. By balance it cannot promise that while " +
			"money moves: an account that passes the walk's place is seen twice or not at all.",
	}, web.CodeCurrencyUnknown)
	op.Document = v2Example(`{"accounts":[` + v2AccountExample + `],"nextPageToken":"AZ3k0vEw1Lk7eyJrIjoiMjAyNi0xMS0yMiJ9"}`)
	web.Register(api, op, s.v2Accounts)
}

func (s *service) v2Accounts(ctx context.Context, in *v2AccountsInput) (*v2AccountsOutput, error) {
	asked, err := in.question()
	if err != nil {
		return nil, err
	}
	if err := s.await(ctx, in.Waiting, awaited{}); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	page, err := query.Ask[readmodel.Page](ctx, s.questions, asked)
	if errors.Is(err, readmodel.ErrSeveralCurrencies) {
		return nil, web.InvalidField("currency", "must be given with minBalance or maxBalance: accounts have several currencies")
	}
	if err != nil {
		return nil, err
	}
	out := &v2AccountsOutput{Body: v2AccountsBody{Accounts: make([]v2Account, len(page.Accounts))}}
	for i, a := range page.Accounts {
		out.Body.Accounts[i] = v2AccountOf(a)
	}
	if page.Next != nil {
		out.Body.NextPageToken, err = pageToken(in.walk(), page.Next)
	}
	return out, err
}

// question judges the parameters.
func (in *v2AccountsInput) question() (FindAccounts, error) {
	q := FindAccounts{readmodel.PageQuery{
		Holder: in.Holder, Type: account.Type(in.Type), Status: account.Status(in.Status), Limit: int(in.PageSize),
	}}
	if in.Currency != "" {
		var err error
		if q.Currency, err = account.ParseCurrency(in.Currency); err != nil {
			return q, web.CurrencyUnknown("currency: must be an active ISO 4217 code in capitals, such as EUR")
		}
	}
	var wrong faults
	q.MinBalance = wrong.bound("minBalance", in.MinBalance, q.Currency)
	q.MaxBalance = wrong.bound("maxBalance", in.MaxBalance, q.Currency)
	if q.MinBalance != nil && q.MaxBalance != nil && q.MinBalance.Cmp(q.MaxBalance) > 0 {
		wrong.add("minBalance", "must not be above maxBalance")
	}
	if err := wrong.err(); err != nil {
		return q, err
	}
	by, descending := strings.CutPrefix(in.Sort, "-")
	q.Descending = descending
	switch by {
	case "balance":
		q.Sort = readmodel.ByBalance
	case "accountHolder":
		q.Sort = readmodel.ByHolder
	default:
		q.Sort = readmodel.ByCreation
	}
	if in.PageToken != "" {
		q.After = new(readmodel.Place)
		return q, readPageToken(in.PageToken, in.walk(), q.After)
	}
	return q, nil
}

// walk is what must stay the same from page to page. The size of a page may
// change on the way.
func (in *v2AccountsInput) walk() any {
	return []string{
		v2Accounts, in.Holder, in.Type, in.Status, in.Currency, in.MinBalance, in.MaxBalance, in.Sort,
	}
}
