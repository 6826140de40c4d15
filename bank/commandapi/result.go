package commandapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"passbook/bank/account"
	contract "passbook/contract/account"
)

// result is what is kept with the events of a command for the answer to it, and
// for every repeated one under its key. Stream, version and position are kept by
// the store; the balance would be another one later.
//
// Results are kept for ever: members may be added to this form and never leave it.
type result struct {
	Balance contract.Money `json:"balance"`
}

// resultOf words the result from the state behind the command's events. It is
// written by hand because it is part of every command and cannot fail.
func resultOf(s account.State) []byte {
	return []byte(`{"balance":{"amount":"` + s.Balance.Amount() + `","currency":"` + s.Balance.Currency().Code() + `"}}`)
}

// readResult is the reverse of resultOf. What that writes is taken apart without a
// JSON decoder; what another program has kept may stand otherwise.
func readResult(data []byte) (result, error) {
	var r result
	if money, ok := bytes.CutPrefix(data, []byte(`{"balance":`)); ok {
		if money, ok = bytes.CutSuffix(money, []byte(`}`)); ok && r.Balance.UnmarshalJSON(money) == nil {
			return r, nil
		}
	}
	err := json.Unmarshal(data, &r)
	if err == nil && r.Balance.Currency().IsZero() {
		err = errors.New("it has no balance")
	}
	if err != nil {
		return result{}, fmt.Errorf("read the result that was kept with the command: %w", err)
	}
	return r, nil
}
