// Package mongodb is the event store on a MongoDB replica set, which several
// processes may write to at once. Commits come in through the contracts of es;
// documents that a majority of the members has on disk come out, and no reader
// sees anything else.
//
//	eventstore.go           open, close, the settings of every operation
//	readonly.go             open beside whoever serves it
//	url.go                  the URL, and errors that hold no password
//	access.go               users that the database refuses
//	schema.go               collections and indexes, made and checked at start
//	clock.go                the primary's time
//	history.go              the id of the store's history, and a new one
//	eventstore_read.go      reading
//	eventstore_append.go    one group: what is to be written, and what came of it
//	eventstore_judge.go     … judged by what is known of streams, ids and keys
//	eventstore_look.go      … which is looked up where memory does not do
//	eventstore_insert.go    … written: one insert, or a transaction
//	eventstore_failure.go   … and what an error proves
//	eventstore_memory.go    what this process knows to be durable
//	eventstore_rivals.go    … and what others have written meanwhile
//	eventstore_orphans.go   transactions that nobody will end, found and ended
//	eventstore_watch.go     being told of events that other processes wrote
//	eventstore_yield.go     letting other writers have their turn
//	eventstore_plea.go      … and asking them for one
//	eventstore_snapshots.go snapshots
//	eventstore_archive.go   listing keys, imports
//	document.go             an event as a document
//	document_decode.go      … and read again
//	view.go                 … its payload for people
//	checkpoints.go          checkpoints and leases of the relay
//	foreign.go              a collection of another program, read only
//
// # Why appends are safe
//
// The _id of a document is its position, so the unique index of _id is a
// compare-and-swap on the head: of two processes that write the same position
// one gets a duplicate, and numbers again. Nothing is written at a position
// unless the one before it is known to be on a majority; so there is never a
// gap, whichever member is elected.
//
// An attempt whose outcome is unknown may still arrive, at the positions that it
// was given and nowhere else. Once its first position is taken, it cannot any
// more. So the same group goes to the same place again until that is so.
//
// # Users
//
// On a server that asks for users, passbook needs one with the role readWrite on
// the store's database, and nothing else. An administrator makes it:
//
//	db.getSiblingDB("admin").createUser({
//	  user: "passbook", pwd: passwordPrompt(),
//	  roles: [{role: "readWrite", db: "passbook"}]
//	})
//
// and the URL is mongodb://passbook:PASSWORD@host,host/passbook?replicaSet=name&authSource=admin.
// For OpenEventStoreReadOnly the role read does.
//
// All processes should have the same user. Then each may end a transaction that
// one which died has left open. Where they have different users, that takes the
// actions inprog and killAnySession on the cluster:
//
//	db.getSiblingDB("admin").createRole({
//	  role: "passbookTransactions", roles: [],
//	  privileges: [{resource: {cluster: true}, actions: ["inprog", "killAnySession"]}]
//	})
//	db.getSiblingDB("admin").grantRolesToUser("passbook", ["passbookTransactions"])
//
// Without them the others wait until the server ends it, a minute by default, and
// say so in the log, once.
package mongodb
