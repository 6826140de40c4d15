// Package crash kills passbook at random moments under load and compares what
// was acknowledged with what is there. It holds tests only.
package crash
