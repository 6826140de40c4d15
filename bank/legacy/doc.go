// Package legacy is the bridge to the Java system that passbook follows: events
// of the store come in, and go out to the four topics from which that system's
// query service, unchanged, builds its read database.
//
// That service has flaws that cannot be mended from here, but can be kept from
// doing harm. Its four listeners race on one row, and it drops a deposit that
// overtakes its account's opening: so there is one record of an account under
// way at a time, and where the service is there, the next one follows only when
// it has dealt with the one before. It counts a record twice that comes twice: so
// the topics are read before anything is published again. What remains is a
// crash between a record's arrival and the moment when it can be seen, after
// which one record for each account under way may come twice.
//
//	record.go  an event as the original writes it
//	double.go  numbers as Java writes them
//	bridge.go  Bridge: lease, laps, what others may know
//	lap.go     where to go on, and the way from there
//	tail.go    what the topics hold already
//	send.go    a page of events, one record of an account at a time
//	group.go   waiting for the service
package legacy
