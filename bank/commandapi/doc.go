// Package commandapi turns HTTP requests into commands. Requests come in on the
// command service's address; commands go out to the one handler for their type,
// which has the account decide and the events appended; the answer tells the
// account's version, or why nothing happened.
//
// A success is answered after the events are durable. A command is carried out
// once for each Idempotency-Key, whatever is sent again, and whatever is lost on
// the way; without a key every request is a command of its own. Refusals, and
// unavailable, mean that nothing happened; outcome-unknown and internal leave
// that open, and the same request with the same key settles it.
//
// Everything here is safe for concurrent use once it is made, and keeps no state
// of its own: any number of processes may serve the API on one store.
//
//	config.go        what the service is given; New
//	description.go   what the API's document says of the whole
//	definition.go    the account as an aggregate: codec, evolve, snapshots
//	operation.go     what all routes share; examples for the document
//	headers.go       headers of every command: key, If-Match, correlation, trace
//	request_hash.go  when two requests with one key are the same request
//	result.go        what is kept with a command's events for its answer
//	dispatcher.go    one handler for each command
//	middleware.go    deadline, metrics and log line of every command
//	problem.go       errors of every room below to problems
//	restores.go      how restores of the read model are asked for
//
//	v1.go                     what the routes of version 1 share
//	v1_amount.go              amounts as JSON numbers or strings
//	v1_open_bank_account.go   one route each: its request, its command, its answer
//	v1_deposit_funds.go
//	v1_withdraw_funds.go
//	v1_close_bank_account.go
//	v1_restore_read_db.go
//	v1_movement.go            what deposits and withdrawals share
//
//	v2.go                  what the routes of version 2 share
//	v2_money.go            amounts as decimal strings with their currency
//	v2_faults.go           all faults of a body in one answer
//	v2_open_account.go     one route each, as above
//	v2_deposit_funds.go
//	v2_withdraw_funds.go
//	v2_close_account.go
//	v2_request_restore.go
//	v2_find_restore.go
//	v2_movement.go         what deposits and withdrawals share
package commandapi

//go:generate go test -count=1 -run ^TestDocument_IsCurrent$ . -update
