// Package sqlite implements the toolkit's contracts on SQLite files, for one
// process on one machine. Commits and read models come in through the
// contracts of es; durable rows come out, and whoever reads them sees only what
// no crash can take away any more.
//
//	db.go                an open file: one connection writes, a pool reads
//	db_writer.go         the one that writes, and its transactions
//	db_readers.go        those that read
//	db_connector.go      connections with settings that are read back
//	db_intact.go         is it still the file, and whole?
//	db_schema.go         whose file it is, its tables, their versions
//	lock.go              one process a file
//	file.go              files as a whole, for back-ups
//	eventstore*.go       the event store; its import, back-up and recovery
//	checkpoints.go       checkpoints and leases of the relay, in the same file
//	projection*.go       the read side, which may be less durable: see Durability
//	projection_swap.go   … a line built beside the live one, swapped, removed
//	projection_leases.go … leases and progress in the same file
//	projection_forget.go … what is kept of a consumer, removed
//	journal.go           the gate of a model that keeps none
package sqlite
