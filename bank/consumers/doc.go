// Package consumers shows over HTTP how far the consumers of a process have
// come and which streams of theirs are parked, and takes what an operator
// decides about those. Requests come in on the address of the service that the
// consumers belong to; the calls go to a Consumer, as a rule a
// *projection.Projection; the answer is what the read model's database says at
// that moment, but for progress and counts, which are those of this process.
//
// Every route asks for the scope "operate". Any process with the same database
// may be asked: a redrive and a batch of another process wait for each other.
//
//	consumers.go       Config and Register, and the Consumer that is asked for
//	list_consumers.go  progress and lag
//	list_parked.go     parked streams, in pages
//	show_parked.go     one of them, with what is in its way
//	redrive.go         … tried again
//	discard.go         … with the event in its way passed over
//	list_discarded.go  what was passed over so far
//	page.go            page tokens
//	problem.go         errors of a projection to problems
package consumers
