package queryapi

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json"

	"passbook/bank/readmodel"
	"passbook/bank/web"
)

// Paths of version 1.
const (
	v1Prefix      = "/api/v1/bankAccountLookup"
	v1ByID        = "/byId/"
	v1ByHolder    = "/byHolder/"
	v1WithBalance = "/withBalance/"
)

const (
	v1Tag   = "version 1"
	queryIs = "query" // the scope of all routes that ask
)

// registerV1 adds the routes of version 1: paths, statuses, messages and bodies
// are those of the Java original, so that its clients work unchanged.
func (s *service) registerV1(api *web.API) {
	s.v1FindAllAccounts(api)
	s.v1FindAccountByID(api)
	s.v1FindAccountByHolder(api)
	s.v1FindAccountWithBalance(api)
}

// adjustV1 gives problems of version 1 the member that its clients read: the
// original's sentence, and no accounts, for what failed inside, otherwise what is
// wrong.
func adjustV1(path string, p *web.Problem) {
	if !strings.HasPrefix(path, "/api/v1/") {
		return
	}
	p.Message = p.Detail
	if p.Status >= http.StatusInternalServerError {
		p.Message, p.BankAccounts = v1Failure(path), true
	}
}

// v1Failure is the original's sentence, its two spaces included.
func v1Failure(path string) string {
	route := strings.TrimPrefix(path, v1Prefix)
	switch {
	case strings.HasPrefix(route, v1ByID):
		return "Failed to complete get  account by id request"
	case strings.HasPrefix(route, v1ByHolder):
		return "Failed to complete get  account by holder request"
	case strings.HasPrefix(route, v1WithBalance):
		return "Failed to complete get  account with balance request"
	}
	return "Failed to complete get all accounts request"
}

// oneMessage is that of a lookup by id or by holder.
const oneMessage = "Successfully returned bank account"

// countedMessage is that of the other lists.
func countedMessage(count int64) string {
	return "Successfully returned " + grouped(count) + " bank account(s)"
}

// grouped writes a count as 1,234,567.
func grouped(n int64) string {
	digits := strconv.FormatInt(n, 10)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// v1Account is an account in the body of an answer. Clients may rely on the
// order of the members.
type v1Account struct {
	ID            string     `json:"id"`
	AccountHolder string     `json:"accountHolder"`
	CreationDate  string     `json:"creationDate"`
	AccountType   string     `json:"accountType"`
	Balance       web.Number `json:"balance"`
}

// v1Date has the milliseconds of a time; what is behind them is cut off.
const v1Date = "2006-01-02T15:04:05.000+00:00"

func encodeV1(a readmodel.Account) ([]byte, error) {
	return json.Marshal(v1Account{
		ID:            a.ID,
		AccountHolder: a.Holder,
		CreationDate:  a.CreatedAt.UTC().Format(v1Date),
		AccountType:   string(a.Type),
		Balance:       web.Number(a.Balance.LegacyNumber()),
	})
}

// v1Operation is what the routes have in common.
func v1Operation(op web.Operation) web.Operation {
	op.Method = http.MethodGet
	op.Tags = []string{v1Tag}
	op.Scope = queryIs
	op.Also = []int{http.StatusNoContent}
	op.Problems = []web.Code{web.CodeUnavailable}
	op.Document = func(described *huma.Operation) {
		described.Responses["200"].Content = map[string]*huma.MediaType{"application/json": {Schema: v1Schema()}}
		described.Responses["204"].Description = "There is no such account."
	}
	return op
}

// v1Schema describes an answer, which is written piece by piece and so has no Go
// type that could be described.
func v1Schema() *huma.Schema {
	text := func(doc string) *huma.Schema { return &huma.Schema{Type: huma.TypeString, Description: doc} }
	balance := &huma.Schema{
		Type: huma.TypeNumber, Examples: []any{50.5},
		Description: "Exact: as many decimals as the amount needs, one at least, never an exponent. In the account's currency.",
	}
	created := text("When the account was opened: UTC, with milliseconds.")
	created.Format, created.Examples = "date-time", []any{"2026-11-22T06:23:01.949+00:00"}
	kind := text("")
	kind.Enum = []any{"SAVINGS", "CURRENT"}
	return v1Object(map[string]*huma.Schema{
		"message": text("Tells how many accounts there are, where several may be asked for."),
		"bankAccounts": {Type: huma.TypeArray, Items: v1Object(map[string]*huma.Schema{
			"id": text(""), "accountHolder": text(""), "creationDate": created, "accountType": kind, "balance": balance,
		}, "id", "accountHolder", "creationDate", "accountType", "balance")},
	}, "message", "bankAccounts")
}

func v1Object(properties map[string]*huma.Schema, required ...string) *huma.Schema {
	return &huma.Schema{Type: huma.TypeObject, Properties: properties, Required: required}
}
