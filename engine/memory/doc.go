// Package memory implements the toolkit's contracts in memory, for tests and
// examples: exact, simple, and gone with the process. What comes in through a
// contract goes out through the same contract; nothing is read or written
// anywhere else.
//
//	eventstore*.go        the event store, its append and its import
//	checkpoints.go        checkpoints and leases
//	topics*.go            a bus and its topics
//	projection.go         the read side: transactions, checkpoints, parked streams
//	projection_tx.go      … a transaction, and the model's rows in it
//	projection_queue.go   … what waits in parked streams
//	projection_discarded.go  … what was discarded
//	projection_lines.go   … a line built beside the live one, and swapped
package memory
