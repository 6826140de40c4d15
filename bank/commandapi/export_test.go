package commandapi

import contract "passbook/contract/account"

// The tests of the room give commands without HTTP, too.
var NewDispatcher = newDispatcher

// BalanceIn is the balance of a result that was kept.
func BalanceIn(kept string) (contract.Money, error) {
	r, err := readResult([]byte(kept))
	return r.Balance, err
}
