package commandapi

import (
	"passbook/bank/account"
	"passbook/bank/events"
	contract "passbook/contract/account"
	"passbook/es/aggregate"
)

// Definition tells the toolkit what an account is: the events under their
// written names, how they make a state, and which snapshots fit it.
//
// It panics if the contract's names contradict each other: such a program must
// not start.
func Definition() aggregate.Definition[account.State] {
	codec, err := events.Codec()
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
