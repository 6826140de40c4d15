// Package queryapi answers questions about accounts over HTTP. Requests come in
// on the query service's address; questions go to the one handler for their
// type, which reads the read model; the answer goes out as the read model stands
// at that moment. Nothing is ever changed here.
//
// An answer is one state of the read model, that behind a whole batch of events:
// in version 1 the number of accounts in a list's message is that of the accounts
// in the list, of which any number is sent in little memory. In version 2 lists
// come page by page, each as of its own moment. What a command has just done may
// not be in an answer yet; a question of version 2 can wait for it.
//
// A list that cannot be sent to its end, because the read DB fails or the client
// takes too long, is cut: the connection is closed before the JSON text ends, so
// that a part never passes for the whole. Shorter ones are read before the first
// byte goes out, and are never cut for the read DB's sake.
//
// Everything here is safe for concurrent use once it is made; any number of
// processes may serve the API on one read DB, where that takes several.
//
//	config.go      what the service is given; New
//	dispatcher.go  one handler for each question
//	middleware.go  metrics, and a line when the read DB is lost or back
//	problem.go     errors of the read model to problems
//	find_*.go      one use case each: its question, its handler, its routes
//
//	v1.go          what the routes of version 1 share: sentences, body, document
//	v1_list.go     lists of accounts, as they are read
//
//	v2.go              what the routes of version 2 share: account, money, document
//	parameter.go       parameters judged, all faults at once
//	await.go           waiting until a version or a position is visible
//	frontier.go        up to which position everything was dealt with
//	page_token.go      where a page ended, for the client to bring back
//	statement_body.go  a statement as JSON and as CSV
package queryapi

//go:generate go test -count=1 -run ^TestDocument_IsCurrent$ . -update
