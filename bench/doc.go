// Package bench measures passbook: the name of a bench and the engines come in, a
// figure beside its yardstick comes out. A yardstick is the same work without
// anything of ours, taken in the same run, in turns with the figure: so what the
// machine is worth at that moment falls out of their ratio.
//
// Services run as processes of their own, beside the generator of load. Everything
// that a bench makes has a name of its own that begins with Prefix, and is gone
// when it ends.
//
//	bench.go          Config, Run; a figure and its yardstick in turns
//	result.go         what is told of it
//	workspace.go      what a bench makes, and how that is removed
//	service.go        passbook as a process
//	deployment.go     which services there are for a bench
//	database.go       event stores and read databases of a bench's own
//	topic.go          topics of its own
//	generator.go      HTTP load; the echo that it is compared with
//	teller.go         requests of the bank's APIs
//	traffic.go        events that are made up
//	append*.go        append, and bare inserts
//	commands.go       commands, hot-account
//	queries.go        queries
//	relay.go          relay, and a bare producer
//	projection.go     projection; projection_bare.go, rows.go: bare upserts of the same rows
//	restore.go        restore
//	end_to_end.go     from acknowledged to visible
//	drain.go          until nothing is left to be done
//
// bench/run takes all figures and writes them to bench/RESULTS.md.
package bench
