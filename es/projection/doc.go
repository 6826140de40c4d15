// Package projection turns events into a read model, effectively once: records
// of a topic go in through bus.Consumer, row writes of an application's Model
// come out, in one transaction with the checkpoint that says how far the topic
// was read.
//
// Per stream, events are applied in order and without a gap. A stream that
// cannot go on is parked, visibly, with everything that arrives for it later,
// and the other streams flow. Nothing is passed over because time went by.
//
//	model.go        what an application implements
//	store.go        what an engine implements
//	config.go       settings
//	projection.go   New, Run, and what is known of a partition
//	assign.go       where a partition is read from
//	consume.go      a run of records, up to its transaction
//	gather.go       one transaction for what comes in by all partitions
//	records.go      records into events
//	gate.go         duplicate, next, gap or difference
//	batch.go        the transaction of a run
//	transact.go     transactions that are run again without what cannot be applied
//	drain.go        the queue of a parked stream, applied
//	redrive.go      parked streams tried again
//	discard.go      the event in the way of a stream passed over, on somebody's word
//	discarded.go    what is remembered of that, and what the gate makes of it
//	lines.go        what an engine implements so that a model can be built beside itself
//	status.go       what readiness and metrics show
//	each.go         a model that is a function, and the journal that it needs
//	await.go        waiting until an event is visible
//	direct.go       a feed run to its end without a subscriber
package projection
