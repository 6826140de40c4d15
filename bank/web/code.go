package web

import (
	"net/http"

	"github.com/danielgtaylor/huma/v2"
)

// Code names a kind of problem. Clients branch on it, so a code is never
// renamed and never changes its meaning.
type Code string

// The codes of the bank's APIs. Their statuses are those of version 2;
// [Config].Adjust gives version 1 its own.
const (
	CodeInvalidRequest         Code = "invalid-request"
	CodeAccountNotFound        Code = "account-not-found"
	CodeAccountExists          Code = "account-exists"
	CodeAccountClosed          Code = "account-closed"
	CodeInsufficientFunds      Code = "insufficient-funds"
	CodeBalanceLimit           Code = "balance-limit"
	CodeBalanceNotZero         Code = "balance-not-zero"
	CodeCurrencyMismatch       Code = "currency-mismatch"
	CodeCurrencyUnknown        Code = "currency-unknown"
	CodeUnauthenticated        Code = "unauthenticated"
	CodeForbidden              Code = "forbidden"
	CodeVersionConflict        Code = "version-conflict"
	CodeIdempotencyKeyReused   Code = "idempotency-key-reused"
	CodeIdempotencyKeyInFlight Code = "idempotency-key-in-flight"
	CodeTooLarge               Code = "too-large"
	CodeUnsupportedMediaType   Code = "unsupported-media-type"
	CodeTooManyRequests        Code = "too-many-requests"
	CodeUnavailable            Code = "unavailable"
	CodeOutcomeUnknown         Code = "outcome-unknown"
	CodeNotFound               Code = "not-found"
	CodeMethodNotAllowed       Code = "method-not-allowed"
	CodeNotYetVisible          Code = "not-yet-visible"
	CodeInternal               Code = "internal"
)

// codeTable lists every code with its status and title, in the order of the
// constants. It is never written to.
var codeTable = [...]struct { //nolint:gochecknoglobals // a table, never written to
	code   Code
	status int
	title  string
}{
	{CodeInvalidRequest, http.StatusBadRequest, "The request is not valid"},
	{CodeAccountNotFound, http.StatusNotFound, "There is no such account"},
	{CodeAccountExists, http.StatusConflict, "The account id is taken"},
	{CodeAccountClosed, http.StatusUnprocessableEntity, "The account is closed"},
	{CodeInsufficientFunds, http.StatusUnprocessableEntity, "The balance is too low"},
	{CodeBalanceLimit, http.StatusUnprocessableEntity, "The balance would pass its limit"},
	{CodeBalanceNotZero, http.StatusUnprocessableEntity, "There is money left in the account"},
	{CodeCurrencyMismatch, http.StatusUnprocessableEntity, "The currencies differ"},
	{CodeCurrencyUnknown, http.StatusBadRequest, "The currency is not known"},
	{CodeUnauthenticated, http.StatusUnauthorized, "An API key is needed"},
	{CodeForbidden, http.StatusForbidden, "The request is not allowed"},
	{CodeVersionConflict, http.StatusConflict, "The version is another"},
	{CodeIdempotencyKeyReused, http.StatusUnprocessableEntity, "The idempotency key was used for another request"},
	{CodeIdempotencyKeyInFlight, http.StatusConflict, "The first request with this idempotency key is not answered yet"},
	{CodeTooLarge, http.StatusRequestEntityTooLarge, "The body is too large"},
	{CodeUnsupportedMediaType, http.StatusUnsupportedMediaType, "The body is not JSON"},
	{CodeTooManyRequests, http.StatusTooManyRequests, "There are too many requests"},
	{CodeUnavailable, http.StatusServiceUnavailable, "The service cannot answer now, and nothing has happened"},
	{CodeOutcomeUnknown, http.StatusGatewayTimeout, "Whether the command took effect is not known"},
	{CodeNotFound, http.StatusNotFound, "There is nothing at this address"},
	{CodeMethodNotAllowed, http.StatusMethodNotAllowed, "The method is not allowed here"},
	{CodeNotYetVisible, http.StatusConflict, "The state asked for is not visible yet"},
	{CodeInternal, http.StatusInternalServerError, "The service failed"},
}

// Codes returns every code that this package knows, in a fixed order.
func Codes() []Code {
	codes := make([]Code, len(codeTable))
	for i, row := range codeTable {
		codes[i] = row.code
	}
	return codes
}

// Status returns the HTTP status of the code in version 2, and 500 for a code
// that this package does not know.
func (c Code) Status() int {
	for _, row := range codeTable {
		if row.code == c {
			return row.status
		}
	}
	return http.StatusInternalServerError
}

// Title returns the sentence that all problems of the code share; it is empty
// for a code that this package does not know.
func (c Code) Title() string {
	for _, row := range codeTable {
		if row.code == c {
			return row.title
		}
	}
	return ""
}

// Schema describes the code as an open set of strings: a client must be ready
// for a code that it does not know, and go by the status then.
func (Code) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{
		Type:        huma.TypeString,
		Description: "What went wrong; stable, for programs.",
		Examples:    []any{string(CodeInvalidRequest)},
	}
}
