// Package load puts load on something and measures it: a plan and an operation
// come in, how many were done in what time and how long each took comes out. It
// knows nothing of what it measures, so that a figure and its yardstick are
// taken by the same hands.
//
//	drive.go       Drive: workers, with a rate or without
//	outcome.go     what came of it
//	latency.go     how long operations took
//	connection.go  one HTTP connection, as cheap as can be
//	answer.go      … and what is read of an answer
//	echo.go        the server that HTTP is compared with
package load
