package account

import (
	contract "passbook/contract/account"
)

// Code names the reason of a refusal. Codes are part of the API: clients act
// on them, so they are never changed.
type Code string

// The codes that an account answers with.
const (
	CodeInvalidRequest    Code = "invalid-request"
	CodeAccountNotFound   Code = "account-not-found"
	CodeAccountExists     Code = "account-exists"
	CodeAccountClosed     Code = "account-closed"
	CodeInsufficientFunds Code = "insufficient-funds"
	CodeBalanceLimit      Code = "balance-limit"
	CodeBalanceNotZero    Code = "balance-not-zero"
	CodeCurrencyMismatch  Code = "currency-mismatch"
)

// Refusal is the only kind of error that Decide returns: the command was
// understood and the answer is no. It depends on the command and the state
// alone.
type Refusal struct {
	Code Code
	// Message is a sentence for the client. Where the Java original has one for
	// the case, it is that one to the letter, since version-1 clients may
	// compare it.
	Message string
	// Err is the *contract.FieldError that names the field at fault, if it is
	// one field's fault, otherwise nil.
	Err error
}

// Error is the message.
func (r *Refusal) Error() string { return r.Message }

// Unwrap gives Err.
func (r *Refusal) Unwrap() error { return r.Err }

func refuse(code Code, message string) *Refusal {
	return &Refusal{Code: code, Message: message}
}

func notFound() *Refusal {
	return refuse(CodeAccountNotFound, "Incorrect account ID provided!")
}

func currencyMismatch(account, amount contract.Currency) *Refusal {
	return refuse(CodeCurrencyMismatch, "The account is in "+account.Code()+", the amount in "+amount.Code()+"!")
}

// notPositive refuses an amount of zero, below zero, or none at all.
func notPositive(message string) *Refusal {
	return &Refusal{
		Code:    CodeInvalidRequest,
		Message: message,
		Err:     &contract.FieldError{Field: "amount", Problem: "must be greater than 0"},
	}
}

// invalid turns the first fault of checks into a refusal; nil without one.
func invalid(checks ...error) error {
	for _, err := range checks {
		if err != nil {
			return &Refusal{Code: CodeInvalidRequest, Message: err.Error(), Err: err}
		}
	}
	return nil
}

// optional applies check to what was given; the empty string means nothing was.
func optional(check func(string) error, text string) error {
	if text == "" {
		return nil
	}
	return check(text)
}
