// Package account decides about bank accounts. A command and the state of one
// account come in; the events that follow come out, or a refusal with its
// reason. Folding those events gives the next state.
//
// Everything here is pure: no clock, no I/O, no ids made, no state kept.
// Deciding twice on the same state gives the same events, which is what lets a
// caller that lost a race decide again. All values are safe to copy and to use
// concurrently.
//
//	state.go           what is remembered of an account, and how events change it
//	open_account.go    one file for each use case: the command and its rules
//	deposit_funds.go
//	withdraw_funds.go
//	close_account.go
//	refusal.go         why a command was not accepted
package account
