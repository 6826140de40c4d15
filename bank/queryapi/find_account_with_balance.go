package queryapi

import (
	"context"
	"math/big"
	"regexp"

	"passbook/bank/readmodel"
	"passbook/bank/web"
)

// FindAccountWithBalance asks for the open accounts whose balance is above or
// below a number, by ascending balance. It is answered by a *readmodel.Accounts,
// which the one who asks closes.
type FindAccountWithBalance struct {
	Comparison readmodel.Comparison
	// Balance is compared as a number, whatever the currency of an account.
	Balance *big.Rat
}

func findAccountWithBalance(
	accounts *readmodel.Reader,
) func(context.Context, FindAccountWithBalance) (*readmodel.Accounts, error) {
	return func(ctx context.Context, q FindAccountWithBalance) (*readmodel.Accounts, error) {
		return accounts.FindAccountsWithBalance(ctx, q.Comparison, q.Balance)
	}
}

type v1WithBalanceInput struct {
	Comparison string `path:"comparison" enum:"GREATER_THAN,LESS_THEN,LESS_THAN" doc:"Strict. LESS_THEN is LESS_THAN."`
	Balance    string `path:"balance" doc:"A decimal number, with an exponent or without." example:"99.95"`
}

func (s *service) v1FindAccountWithBalance(api *web.API) {
	web.Register(api, v1Operation(web.Operation{
		ID: "findAccountWithBalance", Path: v1Prefix + v1WithBalance + "{comparison}/{balance}",
		Summary: "The open accounts with more, or with less, than a balance",
		Doc: "By ascending balance. Numbers are compared exactly, and without regard to the currency: " +
			"7 JPY and 7.00 EUR are both greater than 6.999.",
	}), func(ctx context.Context, in *v1WithBalanceInput) (*v1Output, error) {
		balance, ok := parseNumber(in.Balance)
		if !ok {
			return nil, web.InvalidField("balance", "must be a decimal number such as 100 or 99.95")
		}
		comparison := readmodel.Below
		if in.Comparison == "GREATER_THAN" {
			comparison = readmodel.Above
		}
		return s.v1List(ctx, FindAccountWithBalance{Comparison: comparison, Balance: balance}, countedMessage)
	})
}

// numberForm is what clients of the original may have written that names a
// finite number, but for hexadecimal and the letters that Java puts behind its
// literals. The exponent is bounded: its power of ten is computed.
var numberForm = regexp.MustCompile(`^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?$`)

// numberLengthMax leaves room for all digits of any double.
const numberLengthMax = 400

func parseNumber(text string) (*big.Rat, bool) {
	if len(text) > numberLengthMax || !numberForm.MatchString(text) {
		return nil, false
	}
	return new(big.Rat).SetString(text)
}
