// Package takeover takes over the event store of the Java system that passbook
// follows. Its documents come in as BSON, in the order in which they are stored;
// a report of everything in them that cannot be taken as it is goes out, and,
// once there is a rule for each kind of it, a history in a store of our own.
//
// Nothing is taken on trust. Each account is decided again, event by event, by
// the rules of bank/account; what those refuse, and what cannot be represented
// exactly, is an irregularity with a name. No rule is applied that was not asked
// for: an account is taken as it is, corrected as the rules say, or left out and
// listed.
//
// # Order, versions, times, ids
//
// Positions follow the order of _id over all accounts. The events of an account
// that are taken are numbered 0, 1, 2 … in that order too; only under the rule
// renumber-by-version they change places among themselves, so that they follow
// their versions. An event happened at its timeStamp, an opening at its
// createdDate, but never before the account's previous event. Its id is made from
// the original's _id alone, and its causation tells that _id, the version and the
// time that the original gave it, and which rules were applied to it.
//
// # Cost
//
// The source is read twice, and twice more under renumber-by-version. Some 300
// bytes of memory are used for each account, 120 more for each kind of
// irregularity in it, however many events there are; under renumber-by-version the events of the accounts that
// it concerns are held whole, at some 300 bytes each.
//
//	kind.go      kinds of irregularities, and the rules for each
//	rule.go      rules as a person gives them
//	source.go    documents, and what they add up to
//	record.go    a document as an event of the original; member.go: its members
//	amount.go    numbers of the original as amounts
//	version.go   what the versions of an account look like
//	order.go     events in the order of their versions
//	ledger.go    accounts as they come about, irregularity by irregularity
//	opening.go   … an opening; movement.go: a deposit, a withdrawal, a closing
//	origin.go    what an event tells of where it came from
//	report.go    what is found
//	plan.go      Check: the report; Fill: the store
package takeover
