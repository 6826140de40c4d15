package mysql_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"testing"

	driver "github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/require"

	"passbook/engine/mysql"
	"passbook/internal/testenv"
)

// Who opens for reading makes nothing, and finds what another has made.
func TestOpenProjectionStoreReadOnly(t *testing.T) {
	t.Parallel()
	address := testenv.MySQLDatabase(t)
	_, err := mysql.OpenProjectionStoreReadOnly(t.Context(), address)
	require.ErrorContains(t, err, "there is no read side in it yet")
	require.False(t, mysql.Passing(err))
	store := openStore(t, address)
	var tables int
	count := `SELECT count(*) FROM information_schema.tables WHERE table_schema = database()`
	require.NoError(t, store.DB().QueryRowContext(t.Context(), count).Scan(&tables))
	reading, err := mysql.OpenProjectionStoreReadOnly(t.Context(), address)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, reading.Close()) })
	checkpoints, err := reading.Leases().Load(t.Context(), "nobody")
	require.NoError(t, err)
	require.Empty(t, checkpoints)

	_, err = store.DB().ExecContext(t.Context(), `UPDATE projection_schema SET version = 99`)
	require.NoError(t, err)
	_, err = mysql.OpenProjectionStoreReadOnly(t.Context(), address)
	require.ErrorContains(t, err, "version 99")
}

// A database belongs to the first who claims it, from whichever process.
func TestClaim(t *testing.T) {
	t.Parallel()
	address := testenv.MySQLDatabase(t)
	first, second := openStore(t, address), openStore(t, address)
	require.NoError(t, first.Claim(t.Context(), "read model"))
	require.NoError(t, second.Claim(t.Context(), "read model"))
	err := second.Claim(t.Context(), "notification service")
	require.ErrorContains(t, err, "the database is that of the read model: give the notification service one of its own")
	require.False(t, mysql.Passing(err))
}

func TestPassing(t *testing.T) {
	t.Parallel()
	for _, err := range []error{
		driver.ErrInvalidConn, io.ErrUnexpectedEOF, context.DeadlineExceeded, &net.OpError{Err: errors.New("refused")},
		&driver.MySQLError{Number: 1040}, &driver.MySQLError{Number: 1290},
	} {
		require.True(t, mysql.Passing(fmt.Errorf("open: %w", err)), "%v", err)
	}
	for _, err := range []error{
		nil, errors.New("its tables are newer"), context.Canceled,
		&driver.MySQLError{Number: 1045}, &driver.MySQLError{Number: 1049}, &driver.MySQLError{Number: 1064},
	} {
		require.False(t, mysql.Passing(err), "%v", err)
	}
}
