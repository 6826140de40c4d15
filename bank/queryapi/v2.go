package queryapi

import (
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"passbook/bank/readmodel"
	"passbook/bank/web"
	"passbook/contract/account"
)

const (
	v2Accounts = "/api/v2/accounts"
	v2Tag      = "version 2"
)

// registerV2 adds the routes of version 2.
func (s *service) registerV2(api *web.API) {
	s.v2FindAccounts(api)
	s.v2FindAccount(api)
	s.v2FindStatement(api)
}

// v2Operation is what the routes have in common. A parameter that nobody knows
// is refused: a filter that is misspelt must not answer with everything.
func v2Operation(op web.Operation, problems ...web.Code) web.Operation {
	op.Method = http.MethodGet
	op.Tags = []string{v2Tag}
	op.Scope = queryIs
	op.StrictQuery = true
	op.Problems = append([]web.Code{web.CodeNotYetVisible, web.CodeTooManyRequests, web.CodeUnavailable}, problems...)
	return op
}

// v2Money is money in an answer.
type v2Money struct {
	Amount   string `json:"amount" doc:"Exact, with as many decimals as the currency has." example:"12.50"`
	Currency string `json:"currency" doc:"ISO 4217." example:"EUR"`
}

func v2MoneyOf(m account.Money) v2Money {
	return v2Money{Amount: m.Amount(), Currency: m.Currency().Code()}
}

// v2Account is an account in an answer.
type v2Account struct {
	ID            string    `json:"id"`
	AccountHolder string    `json:"accountHolder"`
	AccountType   string    `json:"accountType" enum:"SAVINGS,CURRENT"`
	Status        string    `json:"status" enum:"OPEN,CLOSED"`
	Balance       v2Money   `json:"balance"`
	CreatedAt     time.Time `json:"createdAt" doc:"When it was opened."`
	UpdatedAt     time.Time `json:"updatedAt" doc:"Since when it is as it is."`
	Version       int64     `json:"version" doc:"The version of its last event; the opening is 0."`
}

func v2AccountOf(a readmodel.Account) v2Account {
	return v2Account{
		ID: a.ID, AccountHolder: a.Holder, AccountType: string(a.Type), Status: string(a.Status),
		Balance: v2MoneyOf(a.Balance), CreatedAt: a.CreatedAt, UpdatedAt: a.UpdatedAt, Version: a.Version,
	}
}

const v2AccountExample = `{"id":"97ebd5d8-9c2f-4dda-b59a-a1c62c20a6a8","accountHolder":"John Doe","accountType":"SAVINGS",` +
	`"status":"OPEN","balance":{"amount":"150.10","currency":"EUR"},"createdAt":"2026-11-22T06:23:01.949Z",` +
	`"updatedAt":"2026-11-22T06:25:40.017Z","version":1}`

// v2Example puts an example of a success into the document.
func v2Example(example string) func(*huma.Operation) {
	return func(described *huma.Operation) {
		described.Responses["200"].Content["application/json"].Example = jsonExample(example)
	}
}

// jsonExample is an example as it stands, members in their order.
type jsonExample string

// MarshalJSON implements [encoding/json.Marshaler].
func (e jsonExample) MarshalJSON() ([]byte, error) { return []byte(e), nil }

// accountNotFound is 404, whether the id is a possible one or not.
func accountNotFound() *web.Problem {
	return web.AccountNotFound("there is no account with this id, or none that could be seen yet")
}
