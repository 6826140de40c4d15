// Package events knows every event of the bank: payload structs of the contract
// go in, and one codec for all who write or read them comes out. A new event, a
// new schema of one and its upcaster are added here, once.
package events

import (
	"fmt"

	"passbook/contract/account"
	"passbook/es/event"
)

// Codec returns the codec of account events. An error means that the contract's
// names contradict each other: such a program must not start.
func Codec() (*event.Codec, error) {
	codec, err := event.NewCodec(
		event.Define[account.Opened](account.OpenedName, account.OpenedSchema),
		event.Define[account.Deposited](account.DepositedName, account.DepositedSchema),
		event.Define[account.Withdrawn](account.WithdrawnName, account.WithdrawnSchema),
		event.Define[account.Closed](account.ClosedName, account.ClosedSchema),
	)
	if err != nil {
		return nil, fmt.Errorf("events of accounts: %w", err)
	}
	return codec, nil
}
