// Package verify compares an event store, the topic that is fed from it and a
// read model that is fed from the topic. It reads all three and changes nothing;
// a [Report] comes out that names each difference by place, stream, version and
// position, and apart from the differences what explains itself: lag, equal
// repeats, parked streams, discarded events, a topic that lost its beginning.
//
// # A system that moves
//
// Nothing is stopped for it. Events travel from the store to the topic and on to
// the read model, so everything is read against that direction: what is found
// further on must already be where it came from.
//
//  1. The relay's checkpoint: what it confirms now is in the topic from now on.
//  2. The read model's checkpoints: what lies before them was applied.
//  3. The topic's bounds. Each record within them comes from an event that the
//     store has when it is asked later.
//  4. The store's head. Each store event up to it is looked for in the topic, in
//     one scan over both. Missing there are those that the relay had confirmed,
//     and those behind which a later event of the partition lies.
//  5. The read model in pages, each one read transaction with rows, entries,
//     parked streams and discarded events as of one moment; behind each page the
//     streams of its rows are read in the store. A row is compared at its own
//     version, so it does not matter how far it has come since step 2. An event
//     is missing there if its record lies before the checkpoint of step 2, and a
//     page that was read later does not have it.
//
// A page at a time instead of one transaction over everything: a reader that
// goes on for minutes lets a write-ahead log grow, and keeps a line that was
// built anew from being swapped in. What the pages could miss is that the line
// changes between them, or the topic: both are looked at with each page and at
// the end, and then the comparison starts again, a few times.
//
// Memory does not depend on how many events or streams there are: the store is
// read once by position and once by stream, the topic once, the model's tables
// once. It grows with the damage, by a few bytes for each hole in the topic.
//
// # What it cannot find
//
// What is wrong in the same way in all three. Ids of events that are there twice
// are left to the store's own index. A checkpoint that was set back as a whole is
// told as a note, not as a difference: a partition that is read again from its
// beginning looks the same, and neither does harm.
//
//	verify.go       Run: an attempt, and again where topic or line changed
//	contract.go     what a store, a topic and a read model are to this package
//	report.go       differences, notes, counts
//	attempt.go      one comparison, in the order above
//	scan.go         store and topic, event by event
//	keys.go         … and the idempotency keys beside them
//	cursor.go       the records of one partition
//	judge.go        a record that is not the one that is expected
//	record.go       what in a record is not as its event says
//	ranges.go       positions that a partition lacks
//	checkpoint.go   checkpoints against the records that they name
//	page.go         the read model, page by page
//	walk.go         one stream of the read model against the store
//	openings.go     streams that the read model does not have
package verify
