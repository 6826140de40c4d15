package account

// Names that the Java original gave things. They are its contract with its own
// clients and stores, so they are written here as they are found there, and only
// the bridge to it and the import from it use them.
const (
	// Topics, one for each kind of event.
	LegacyTopicOpened    = "AccountOpenedEvent"
	LegacyTopicDeposited = "FundsDepositedEvent"
	LegacyTopicWithdrawn = "FundsWithdrawnEvent"
	LegacyTopicClosed    = "AccountClosedEvent"

	// Classes of the events. A consumer there refuses a record without the
	// header, or with a class that it does not know.
	LegacyTypeHeader     = "__TypeId__"
	LegacyClassOpened    = "com.asimkilic.account.common.events.AccountOpenedEvent"
	LegacyClassDeposited = "com.asimkilic.account.common.events.FundsDepositedEvent"
	LegacyClassWithdrawn = "com.asimkilic.account.common.events.FundsWithdrawnEvent"
	LegacyClassClosed    = "com.asimkilic.account.common.events.AccountClosedEvent"

	// The event store.
	LegacyDatabase       = "bankAccount"
	LegacyCollection     = "eventStore"
	LegacyAggregateClass = "com.asimkilic.account.cmd.domain.AccountAggregate"
	LegacyDocumentClass  = "com.asimkilic.cqrs.core.events.EventModel"
)
