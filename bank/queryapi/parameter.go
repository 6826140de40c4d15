package queryapi

import (
	"math/big"
	"reflect"
	"regexp"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"passbook/bank/web"
	"passbook/contract/account"
)

// Integer is a parameter that may be missing, which is not the same as 0. It is
// exported for one reason: the router fills in no others.
type Integer struct {
	Value int64
	Given bool
}

// Receiver implements huma.ParamWrapper: that is where the number goes.
func (i *Integer) Receiver() reflect.Value { return reflect.ValueOf(&i.Value).Elem() }

// OnParamSet implements huma.ParamReactor.
func (i *Integer) OnParamSet(isSet bool, _ any) { i.Given = isSet }

// Schema describes it as the number that it is.
func (Integer) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeInteger, Format: "int64"}
}

// faults are what is wrong with the parameters of a request.
type faults []web.FieldError

func (f *faults) add(field, detail string) {
	*f = append(*f, web.FieldError{Field: field, Detail: detail})
}

// err returns all faults as one problem, nil if there are none.
func (f *faults) err() error {
	switch len(*f) {
	case 0:
		return nil
	case 1:
		return web.InvalidField((*f)[0].Field, (*f)[0].Detail)
	}
	return web.InvalidRequest("several parameters are not valid", *f...)
}

// instant reads an optional time; the zero time stands for none. Its year has
// four digits in UTC too, as all times in the read model do.
func (f *faults) instant(field, text string) time.Time {
	if text == "" {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339, text)
	if year := t.UTC().Year(); err != nil || year < 1 || year > 9999 {
		f.add(field, "must be an RFC 3339 time such as 2026-11-22T06:23:01.949Z; a + in it is written %2B")
		return time.Time{}
	}
	return t.UTC()
}

// boundForm is an amount in whatever currency: none has more decimals.
var boundForm = regexp.MustCompile(`^-?(0|[1-9][0-9]{0,11})(\.[0-9]{1,4})?$`)

// bound reads an optional bound of a balance, in a currency or, where that is
// zero, in whatever currency all accounts have.
func (f *faults) bound(field, text string, c account.Currency) *big.Rat {
	if text == "" {
		return nil
	}
	if !boundForm.MatchString(text) {
		f.add(field, "must be a plain decimal number such as 12.50, below 1000000000000")
		return nil
	}
	if _, err := account.ParseAmount(text, c); err != nil && !c.IsZero() {
		f.add(field, "must not have more decimals than the currency has")
		return nil
	}
	number, _ := new(big.Rat).SetString(text) // its form was looked at
	return number
}
