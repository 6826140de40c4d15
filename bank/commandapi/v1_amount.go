package commandapi

import (
	"errors"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"passbook/bank/web"
	contract "passbook/contract/account"
)

// v1Amount is an amount as it stands in a body: a JSON number, or a string with
// one in it. It keeps the raw JSON, which tells a member that is missing ("")
// from null.
type v1Amount string //nolint:recvcheck // only decoding changes it

const v1Null v1Amount = "null"

// UnmarshalJSONFrom implements [json.UnmarshalerFrom].
func (a *v1Amount) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	value, err := dec.ReadValue()
	if err != nil {
		return err
	}
	switch value.Kind() {
	case jsontext.KindNull, jsontext.KindNumber, jsontext.KindString:
		*a = v1Amount(value)
		return nil
	default:
		return web.InvalidRequest("the value must be a number")
	}
}

// Schema describes the amount in the API document.
func (v1Amount) Schema(registry huma.Registry) *huma.Schema { return web.Number("").Schema(registry) }

// movement is the amount of a deposit or a withdrawal. Missing and null are 0,
// as in the original: for the account to refuse, which knows the sentence.
func (a v1Amount) movement(c contract.Currency) (contract.Money, error) {
	if a == "" || a == v1Null {
		return contract.Zero(c), nil
	}
	return a.money(c, "amount")
}

// balance is the amount with which an account opens: 0 if it is missing.
func (a v1Amount) balance(c contract.Currency) (contract.Money, error) {
	if a == "" {
		return contract.Zero(c), nil
	}
	return a.money(c, "openingBalance")
}

// money returns a *web.Problem for what is no amount in c.
func (a v1Amount) money(c contract.Currency, member string) (contract.Money, error) {
	money, err := contract.ParseLegacyAmount(string(a), c)
	if err == nil {
		return money, nil
	}
	if a.negative() && !errors.Is(err, contract.ErrAmountSyntax) {
		// Below zero, and c cannot express it either. The sign is the fault that
		// clients know, so any amount below zero will do to have it refused.
		return contract.NewMoney(-1, c)
	}
	fault, ok := errors.AsType[*contract.FieldError](err)
	if !ok {
		return contract.Money{}, err
	}
	return contract.Money{}, invalid(fault.At(member))
}

func (a v1Amount) negative() bool { return strings.HasPrefix(strings.TrimPrefix(string(a), `"`), "-") }

var _ json.UnmarshalerFrom = (*v1Amount)(nil)
