// Package mysql implements the toolkit's contracts of the read side on MySQL,
// for any number of processes. Rows of models and progress of consumers come in
// through the contracts of es/projection and es/checkpoint; what was committed
// comes out. MySQL 8.0.19 or newer.
//
//	address.go       mysql://user:password@host:port/database
//	connector.go     connections with settings that are read back
//	schema.go        the store's own tables, made under a lock
//	projection.go    ProjectionStore: open, transactions, checkpoints
//	readonly.go      open beside whoever writes; whose database it is
//	passing.go       errors that may pass by themselves
//	parked.go        parked streams
//	queue.go         … and the events that wait in them
//	discarded.go     what was discarded, and what was set aside
//	forget.go        what is kept of a consumer, removed
//	leases.go        leases and progress in the same database
//	lines.go         a line that is built beside the live one
//	lines_gate.go    … a moment in which no transaction is under way
//	lines_change.go  … begun, swapped, dropped, removed
package mysql
