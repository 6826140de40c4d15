// Package replay builds a read model again, from the first event on, beside the
// one that is in use, and puts it in its place in one step while queries are
// answered. A request goes in, by anybody who reaches the bus; a read model as
// the events say it comes out.
//
// Three parties that share nothing but the bus take part:
//
//	Log.Request    -> requested
//	Publisher      -> publishing, published    (beside the relay: it reads the event store)
//	Builder        -> building, done, failed   (beside the projection: it writes the read database)
//
// What each says is a record on a compacted topic, the log of restores, from
// which all of them, and whoever asks, know how far a restore has come.
//
// # What holds
//
//   - The line that queries are answered from is untouched until the new one
//     takes its place, whoever fails or dies at whatever moment; then the new
//     one is complete: it has every event that the old one has, and its rows
//     were made from nothing but events.
//   - The seam. The publisher first notes where the feed ends, then reads the
//     head H of the store, and publishes 1..H to a topic of its own. An event
//     behind H was committed after that, so it lies behind the noted ends. The
//     builder reads the replay, then the feed from there; what comes twice falls
//     to the gate of the projection.
//   - Each partition of the replay ends with its count and a checksum over
//     position, stream, version, event id, type, time and payload of its events:
//     all that a model may fold. A builder that counts anything else fails the
//     restore. What the rows make of it only the application can check: Audit.
//   - One restore at a time. A request while one runs asks for nothing and gets
//     that one. Where two are made at once, the first in the log counts.
//   - A stream that is parked in the new line and was not in the old one fails
//     the restore. One that was parked and is not any more is what a restore is
//     for. Where the old line is of another history of the store, nothing of it
//     is compared.
//   - Discarded events belong to no line, so the new one passes over them too.
//
// # What does not hold
//
// Who has the lease may die: the next one begins its part again, from the first
// event on, with a topic or a line of its own; nothing that the other does late
// can reach it, since every transaction makes sure that the line is still the
// one that it is for. Nobody can take over if there is nobody else, so a restore
// of which nothing was heard for a while is stalled, visibly, and the next
// request takes its place.
//
// # File map
//
//	restore.go    what is known of a restore
//	record.go     the records on the log
//	fold.go       records -> restores
//	log.go        Log: request, find, follow
//	errors.go     what goes by itself, what fails a restore
//	lease.go      doing something under a lease
//	seal.go       what ends a partition of a replay
//	publisher.go  Publisher: its settings and its rounds
//	publish.go    one replay, from the ends of the feed to "published"
//	tidy.go       topics and records that nobody needs any more
//	builder.go    Builder: its settings
//	take.go       its rounds: which restore, whose line
//	build.go      one line, from Begin to Swap
//	swap.go       when the new line may take the place of the old one
//	finish.go     … and the last records, given to it inside the swap
//	line.go       the store of the line that is being built
//	read.go       a topic into a projection, without a subscriber
//	audit.go      what an application checks by itself
package replay
