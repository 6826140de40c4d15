// Package client calls the bank's APIs, version 2, on behalf of programs: the
// command line, the demo, the load programs. Typed requests flow in; typed
// answers and typed errors flow out.
//
// What it settles, so that no caller has to:
//
//   - Every call ends: by its context or by Config.Timeout, whichever is first.
//   - Every command carries an idempotency key, made here if the caller names
//     none, and is sent again with the same key while its outcome is open or the
//     service asks for patience. However often it was sent, it is carried out
//     once.
//   - A command whose outcome is still open at the end is reported as an
//     *UnknownError with its key, never as failed: the same command with the
//     same key tells later what became of it.
//   - Answers are read up to a limit; redirects are refused, so that the API key
//     goes to the configured services and to nobody else. It appears in no error.
//
// Errors are *Error (the service's refusal or failure, as it words it),
// *UnknownError, *UnreachableError (nothing was sent), or the context's own. All
// of it is safe for concurrent use.
//
//	client.go        Config, New, what calls share
//	exchange.go      one request, one answer
//	retry.go         when a request is sent again, and how long is waited before
//	error.go         what a call may end with
//	commands.go      open, deposit, withdraw, close
//	queries.go       accounts and statements
//	pages.go         walking through pages
//	restores.go      building the read model again
//	consumers.go     progress and parked streams
//	notifications.go what was sent to whom
package client
