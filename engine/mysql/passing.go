package mysql

import (
	"context"
	"database/sql"
	sqldriver "database/sql/driver"
	"errors"
	"io"
	"net"
	"slices"

	driver "github.com/go-sql-driver/mysql"
)

// passing are the server's errors that are about its state, and not about what
// it was asked: it starts, stops, changes its role, or has too much to do.
//
//nolint:gochecknoglobals // it is never written to
var passing = []uint16{
	1040,                   // too many connections
	1053,                   // shutdown in progress
	1077,                   // normal shutdown
	1079,                   // shutdown complete
	1152,                   // aborted connection
	1158, 1159, 1160, 1161, // the network
	1184, // aborted connection of a new client
	1205, // lock wait timeout
	1213, // deadlock
	1290, // read-only, as a replica is until it is promoted
	1836, // read-only
	3032, // offline mode
	3168, // server is not available
	4031, // disconnected by the server because of inactivity
}

// Passing tells whether an error of this package may pass by itself: the server
// is not reached, or is in no state to serve. Any other stays until somebody
// acts: the address, the user or the database is wrong, the server too old, the
// tables too new.
func Passing(err error) bool {
	if refused, ok := errors.AsType[*driver.MySQLError](err); ok {
		return slices.Contains(passing, refused.Number)
	}
	_, network := errors.AsType[net.Error](err)
	return network ||
		errors.Is(err, driver.ErrInvalidConn) || errors.Is(err, sqldriver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, context.DeadlineExceeded)
}
