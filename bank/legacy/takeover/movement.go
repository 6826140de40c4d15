package takeover

import (
	"errors"
	"fmt"

	"passbook/bank/account"
	contract "passbook/contract/account"
)

// amount is the record's amount, exact and within the limit, of whatever sign.
func (t *taking) amount() (money contract.Money, goOn bool, err error) {
	given := t.record.amount
	if !given.finite() {
		goOn := t.settle(NotANumber, "an amount of %s", given.text)
		return contract.Zero(t.currency), goOn && t.record.class == contract.LegacyClassOpened, nil
	}
	money, kind, err := given.money(t.currency)
	if kind == InexactAmount {
		if !t.settle(kind, "an amount of %s", given.text) {
			return money, false, nil
		}
		if given, err = given.rounded(t.currency); err == nil {
			money, kind, err = given.money(t.currency)
		}
	}
	if kind == OverLimit {
		t.settle(kind, "an amount of %s", given.text)
		return money, false, nil
	}
	return money, err == nil, err
}

func (t *taking) deposit() (any, error) {
	amount, goOn, err := t.amount()
	switch {
	case err != nil || !goOn:
		return nil, err
	case amount.Sign() > 0:
		return t.payIn(amount)
	case amount.Sign() == 0:
		t.settle(ZeroDeposit, "a deposit of %s", t.record.amount.text)
		return nil, nil
	case !t.settle(NegativeDeposit, "a deposit of %s", t.record.amount.text):
		return nil, nil
	}
	return t.payOut(negated(amount))
}

func (t *taking) withdrawal() (any, error) {
	amount, goOn, err := t.amount()
	switch {
	case err != nil || !goOn:
		return nil, err
	case amount.Sign() > 0:
		return t.payOut(amount)
	case amount.Sign() == 0:
		t.settle(ZeroWithdrawal, "a withdrawal of %s", t.record.amount.text)
		return nil, nil
	case !t.settle(NegativeWithdrawal, "a withdrawal of %s", t.record.amount.text):
		return nil, nil
	}
	return t.payIn(negated(amount))
}

// negated cannot fail: the limit is the same on both sides.
func negated(m contract.Money) contract.Money {
	minus, _ := contract.Zero(m.Currency()).Sub(m)
	return minus
}

func (t *taking) payIn(amount contract.Money) (any, error) {
	return t.decided(account.DepositFunds{AccountID: t.record.account, Amount: amount}.Decide(t.account.state))
}

func (t *taking) payOut(amount contract.Money) (any, error) {
	return t.decided(account.WithdrawFunds{AccountID: t.record.account, Amount: amount}.Decide(t.account.state))
}

func (t *taking) closing() (any, error) {
	state := t.account.state
	if state.Balance.Sign() != 0 && !t.settle(ClosingWithMoney, "closed with %s", state.Balance) {
		return nil, nil
	}
	return t.decided(account.CloseAccount{AccountID: t.record.account, AllowBalance: true}.Decide(state))
}

// decided turns an answer of the account's own rules into a payload. What they
// refuse is an irregularity as well; what cannot be one is a mistake of ours.
func (t *taking) decided(events []any, err error) (any, error) {
	var refusal *account.Refusal
	switch {
	case err == nil && len(events) == 1:
		return events[0], nil
	case !errors.As(err, &refusal):
		return nil, fmt.Errorf("%d events: %w", len(events), err)
	}
	what := fmt.Sprintf("%s of %s on a balance of %s", className(t.record.class), t.record.amount.text, t.account.state.Balance)
	switch refusal.Code {
	case account.CodeInsufficientFunds:
		t.settle(Overdraft, "%s", what)
	case account.CodeBalanceLimit:
		t.settle(OverLimit, "%s", what)
	default:
		return nil, fmt.Errorf("an account refuses its own history: %w", err)
	}
	return nil, nil
}

// className is an event's class in plain words.
func className(class string) string {
	switch class {
	case contract.LegacyClassOpened:
		return "an opening"
	case contract.LegacyClassDeposited:
		return "a deposit"
	case contract.LegacyClassWithdrawn:
		return "a withdrawal"
	case contract.LegacyClassClosed:
		return "a closing"
	}
	return "an event"
}
