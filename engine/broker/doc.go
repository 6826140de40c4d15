// Package broker is a Kafka-protocol server inside the process, with its topics in a folder: what passbook uses on one
// machine where an organisation runs a Kafka cluster. Any Kafka client can connect to it. Requests come in over TCP, records
// and offsets go out; the package knows bytes, never events, and imports no other package of this module.
//
// The server is kfake of franz-go, which calls itself a fake for tests. This package adds what it lacks for daily use: a
// lock on the folder, a folder that can always be loaded again, a guard against bytes that are not Kafka requests, no
// deletion of records by age unless a topic asks for it, and a stop that leaves everything on disk.
//
// # What is kept
//
// A clean stop keeps all: topics and their ids, records, offsets, committed offsets of groups, sequence numbers of
// idempotent producers. After a crash of the process every acknowledged record is there too, because it was handed to the
// operating system before it was acknowledged; it is not synced to disk, so a crash of the machine can lose the end of any
// partition. What remains is a prefix without a gap, under the same topic id. Whoever publishes keeps the truth elsewhere
// and compares the end of each partition with it.
//
// A folder that cannot be loaded at all is renamed, and an empty one takes its place: topics made anew have other ids.
//
// # What differs from a Kafka cluster
//
// Facts about kfake that readers and writers of topics meet. facts_test.go pins what can be seen from outside.
//
//   - CreateTopics stores any configuration name and DescribeConfigs returns it, but only cleanup.policy, retention.ms,
//     retention.bytes, segment.bytes, max.message.bytes and delete.retention.ms have an effect. No timestamp is refused. A
//     replication factor above 1 is. For a topic that sets no retention.ms DescribeConfigs says seven days, which is not true
//     here.
//   - retention.ms deletes everything up to the last batch that is too old, newer batches before it included. Retention and
//     compaction come hourly, and only in a process in which a topic was created, deleted or configured.
//   - The log start offset that DeleteRecords sets is kept by a clean stop; after a crash the deleted records of the first
//     remaining file are there again. A partition emptied to its end begins again at offset 0 after any restart, under the
//     same topic id.
//   - The state of idempotent producers survives a clean stop. A crash sets it back to the last clean stop. A producer that
//     began after it goes on, and an unanswered batch that it sends again is there twice; one that began before it is
//     refused with OUT_OF_ORDER_SEQUENCE_NUMBER, which kgo passes on only with StopProducerOnDataLossDetected.
//   - If the end of a partition is lost while a producer lives on, that producer is not told: its next record takes the
//     offset of the first lost one. It can notice by the offset.
//   - A failed write (a full disk) is answered with UNKNOWN_SERVER_ERROR, yet its sequence numbers count as used: a later
//     batch in flight can be accepted behind the hole, and the failed batch sent again is answered as a duplicate. A
//     writer stops at the first failed record and goes on with a new producer.
//   - The offsets of a group without members are dropped after seven days.
//   - Compaction rewrites a partition's files in place. A crash within it can lose records of a compacted topic.
//   - One goroutine serves all requests, one at a time.
//
// Records stay on disk. In memory is an entry of about 80 bytes for each batch, so about 80 MB for a million records
// published one by one and a fraction of that in larger batches. Loading takes a few times segmentBytes for each partition.
//
// # Files
//
//   - broker.go: Config, New, Run; the order of start and stop
//   - address.go, errors.go: which addresses are refused, and the errors for people
//   - listener.go, conn.go: connections that can be waited for, and the guard on what they send
//   - folder.go: the folder: lock, layout, moving aside, flushing
//   - repair.go, partition.go, segment.go, journal.go: making the files sound before kfake reads them
//   - log.go: kfake's messages in log/slog
package broker
