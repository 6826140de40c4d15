package commandapi

import (
	"passbook/bank/account"
	contract "passbook/contract/account"
	"passbook/es/aggregate"
	"passbook/es/event"
)

// Definition tells the toolkit what an account is: the events under their
// written names, how they make a state, and which snapshots fit it.
//
// It panics if the contract's names contradict each other: such a program must
// not start.
func Definition() aggregate.Definition[account.State] {
	codec, err := event.NewCodec(
		event.Define[contract.Opened](contract.OpenedName, contract.OpenedSchema),
		event.Define[contract.Deposited](contract.DepositedName, contract.DepositedSchema),
		event.Define[contract.Withdrawn](contract.WithdrawnName, contract.WithdrawnSchema),
		event.Define[contract.Closed](contract.ClosedName, contract.ClosedSchema),
	)
	if err != nil {
		panic("commandapi: " + err.Error())
	}
	return aggregate.Definition[account.State]{
		Category:       contract.AggregateType,
		Codec:          codec,
		Evolve:         account.Evolve,
		SnapshotSchema: account.SnapshotSchema,
	}
}
