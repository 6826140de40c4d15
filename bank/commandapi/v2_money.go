package commandapi

import (
	contract "passbook/contract/account"
)

// v2Money is money on the wire. The amount is a JSON string: a number would pass
// through floating point at one of its two ends.
type v2Money struct {
	Amount   string `json:"amount" pattern:"^(0|[1-9][0-9]*)(\\.[0-9]+)?$" example:"12.50" doc:"A decimal with no more decimals than the currency has."`
	Currency string `json:"currency" pattern:"^[A-Z]{3}$" example:"EUR" doc:"ISO 4217."`
}

func v2MoneyOf(m contract.Money) v2Money {
	return v2Money{Amount: m.Amount(), Currency: m.Currency().Code()}
}

// movement reads the amount of a deposit or a withdrawal.
func (m *v2Money) movement(faults *v2Faults) contract.Money {
	const member = "amount"
	if m == nil {
		faults.add(&contract.FieldError{Field: member, Problem: mustBeGiven})
		return contract.Money{}
	}
	money := m.money(member, faults)
	if given := !money.Currency().IsZero(); given && money.Sign() <= 0 {
		faults.add(&contract.FieldError{Field: member + ".amount", Problem: "must be greater than 0"})
	}
	return money
}

// opening reads the amount with which an account opens: no money where it is
// missing.
func (m *v2Money) opening(faults *v2Faults) contract.Money {
	const member = "openingBalance"
	if m == nil {
		return contract.Money{}
	}
	money := m.money(member, faults)
	if money.Sign() < 0 {
		faults.add(&contract.FieldError{Field: member + ".amount", Problem: "must not be negative"})
	}
	return money
}

const mustBeGiven = "must be given"

// money reads both members; with a fault it is the zero Money.
func (m *v2Money) money(member string, faults *v2Faults) contract.Money {
	if m.Currency == "" {
		// That none is named is another fault than that it is not known.
		faults.add(&contract.FieldError{Field: member + ".currency", Problem: mustBeGiven})
		return contract.Money{}
	}
	money, err := contract.ParseMoney(m.Amount, m.Currency)
	faults.addWithin(member, err)
	return money
}
