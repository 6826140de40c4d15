package account

import (
	"fmt"

	contract "passbook/contract/account"
)

// SnapshotSchema is the version of State's JSON form. A snapshot of another
// version is not used, and the state is folded from its events instead; raise
// it with every change of State's fields or of what Evolve makes of an event.
const SnapshotSchema = 1

// State is what deciding needs to know of one account. The zero value is an
// account that does not exist. It is a value: Evolve returns a new one and
// changes nothing. It knows neither its version nor its id; those belong to
// the stream.
type State struct {
	Status contract.Status `json:"status,omitempty"`
	Holder string          `json:"accountHolder,omitempty"`
	Type   contract.Type   `json:"accountType,omitempty"`
	// Balance also fixes the currency. It stays as it was when the account
	// closes.
	Balance contract.Money `json:"balance,omitzero"`
}

// Exists tells whether the account was ever opened.
func (s State) Exists() bool { return s.Status != "" }

// Closed tells whether the account was opened and closed again.
func (s State) Closed() bool { return s.Status == contract.StatusClosed }

// Evolve returns s after payload, one of the contract's events by value. An
// event says what has happened, so none is refused. The balance is taken from
// the event and not computed, so history is read by the rules under which it
// was written.
//
// A payload of any other type panics: the codec that hands payloads out and
// this function were wired apart, and passing over an event that nobody
// handles could let money be spent twice.
func Evolve(s State, payload any) State {
	switch event := payload.(type) {
	case contract.Opened:
		s.Status = contract.StatusOpen
		s.Holder = event.AccountHolder
		s.Type = event.AccountType
		s.Balance = event.OpeningBalance
	case contract.Deposited:
		s.Balance = event.Balance
	case contract.Withdrawn:
		s.Balance = event.Balance
	case contract.Closed:
		s.Status = contract.StatusClosed
	default:
		panic(fmt.Sprintf("account: Evolve has no rule for the payload type %T", payload))
	}
	return s
}
