package account

// AggregateType is the kind of stream that accounts are; the stream itself is
// named by the account's id.
const AggregateType = "account"

// Written names and schema versions of the events. They stand in every store
// and feed there is: a name is never changed or used again, and a payload whose
// shape changes gets the next version, an upcaster and a golden file. On the
// wire the two are joined: "passbook.account.opened.v1".
const (
	OpenedName    = "passbook.account.opened"
	DepositedName = "passbook.account.deposited"
	WithdrawnName = "passbook.account.withdrawn"
	ClosedName    = "passbook.account.closed"

	OpenedSchema    = 1
	DepositedSchema = 1
	WithdrawnSchema = 1
	ClosedSchema    = 1
)

// Opened is the first event of every account. Members are written in the order
// of the fields, here and below; what is optional is left out when empty.
type Opened struct {
	AccountHolder string `json:"accountHolder"`
	AccountType   Type   `json:"accountType"`
	// OpeningBalance is always written, 0 in the account's currency if the
	// request named none. It fixes the currency of the account.
	OpeningBalance Money  `json:"openingBalance"`
	Phone          string `json:"phone,omitempty"`
	Email          string `json:"email,omitempty"`
}

// Deposited says that Amount, which is above zero, came in.
type Deposited struct {
	Amount Money `json:"amount"`
	// Balance is the account's balance after this event.
	Balance   Money  `json:"balance"`
	Reference string `json:"reference,omitempty"`
}

// Withdrawn says that Amount, which is above zero, went out.
type Withdrawn struct {
	Amount Money `json:"amount"`
	// Balance is the account's balance after this event.
	Balance   Money  `json:"balance"`
	Reference string `json:"reference,omitempty"`
}

// Closed is the last event of an account. What the balance was stays.
type Closed struct {
	Reason string `json:"reason,omitempty"`
}
