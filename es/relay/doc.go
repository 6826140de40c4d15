// Package relay brings committed events from the event store to a topic: every
// one, at least once, those of a stream in order. Events come in from a Source
// in the order of their positions; records go out to a bus.Feed, and how far
// that has come goes to a checkpoint.Store.
//
// # What holds
//
//   - Every event of the store comes into the topic, as long as a relay runs.
//     Its record may be there several times; all of them are equal.
//   - An event's first record lies behind the first records of all earlier
//     events of its partition, and so of its stream. This holds whatever
//     relays do or do not do: fail, die between any two steps, lose their
//     checkpoint, publish long after their lease was lost.
//   - It does not hold across a loss by the broker, because what was lost may
//     have had successors already. After a tail was lost, records were deleted
//     from the head, or the topic was made again under a call, the partition
//     still gets all its events in order once more, from the lost one on;
//     but some of them may have come before, too early. Who reads sees that by
//     the version, and has to keep an early event until the ones before it came.
//   - A loss is found when a relay next takes up the topic (at its start, after
//     any error, and where it was lost under the relay's own hands), by reading
//     it and comparing with the store. What was published before the place that
//     the checkpoint names is not read again as long as the record at that
//     place is still there.
//   - Nothing is published to a topic that holds another history, or an event
//     that the store does not have. The relay stops then and says so.
//
// A relay can not find out, and verifying the whole topic can, that the broker
// lost records, and that others, of a relay that went on late, came to lie at
// just their places, both between two looks of the relay that has the lease.
//
// # File map
//
//	relay.go     Relay, its settings, the ways to run it
//	errors.go    why a relay stops, and which of the reasons go away by waiting
//	lease.go     tenure: what is done under one lease
//	lap.go       from opening the topic to the first error, and again
//	resume.go    is the topic still as the checkpoint says?
//	compare.go   the scan over store and topic that finds the place to go on from
//	cursor.go    the records of one partition, read one by one
//	publish.go   pages of events to the topic
//	pages.go     pages of events from the store, read ahead
//	progress.go  how far each partition has come, and its checkpoint
//	status.go    what others may know
//	direct.go    the store as a bus, where there is no broker
package relay
