package commandapi

import (
	"errors"

	"passbook/bank/web"
	contract "passbook/contract/account"
)

// v2Faults gathers what is wrong with the members of a body, so that the client
// hears of everything at once. The zero value is an empty one.
type v2Faults struct {
	fields []*contract.FieldError
	other  error // what is no field's fault, and so a fault of ours
}

// add notes a fault; nil is none.
func (f *v2Faults) add(err error) { f.addWithin("", err) }

// addWithin notes a fault of a member of member.
func (f *v2Faults) addWithin(member string, err error) {
	if err == nil {
		return
	}
	fault, ok := errors.AsType[*contract.FieldError](err)
	switch {
	case !ok:
		f.other = errors.Join(f.other, err)
	case member != "":
		f.fields = append(f.fields, fault.At(member+"."+fault.Field))
	default:
		f.fields = append(f.fields, fault)
	}
}

// text reads a member that may be left out, and judges it where it is there: an
// empty text is not the same as none.
func (f *v2Faults) text(value *string, check func(string) error) string {
	if value == nil {
		return ""
	}
	f.add(check(*value))
	return *value
}

func (f *v2Faults) none() bool { return len(f.fields) == 0 && f.other == nil }

// problem is the answer to all faults together; nil if there are none. It is
// currency-unknown only where nothing else is wrong.
func (f *v2Faults) problem() error {
	if f.none() || f.other != nil {
		return f.other
	}
	code, detail := web.CodeCurrencyUnknown, "several members are not valid"
	if len(f.fields) == 1 {
		detail = f.fields[0].Error()
	}
	var errs []web.FieldError
	for _, fault := range f.fields {
		if !errors.Is(fault, contract.ErrCurrencyUnknown) {
			code = web.CodeInvalidRequest
		}
		errs = append(errs, web.FieldError{Field: fault.Field, Detail: fault.Problem})
	}
	p := web.NewProblem(code, detail)
	p.Errors = errs
	return p
}
