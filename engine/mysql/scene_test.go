package mysql_test

import (
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"passbook/engine/mysql"
	"passbook/es/event"
	"passbook/es/projection/projectiontest"
)

// requireServer skips a test where there is no server, whose user has to be
// allowed to make databases.
func requireServer(t *testing.T) {
	t.Helper()
	if os.Getenv("PASSBOOK_TEST_MYSQL") == "" {
		t.Skip("set PASSBOOK_TEST_MYSQL to mysql://user:password@host:port/database to test on a server")
	}
}

// newDatabase returns the address of an empty database, which goes with the test.
func newDatabase(t projectiontest.T) string {
	t.Helper()
	given := os.Getenv("PASSBOOK_TEST_MYSQL")
	server, err := mysql.OpenProjectionStore(t.Context(), given)
	require.NoError(t, err)
	name := "passbook_" + strings.ReplaceAll(event.NewID(), "-", "")
	// A collation that takes a for A and for ä, as databases have it that nobody
	// thought about.
	_, err = server.DB().ExecContext(t.Context(), "CREATE DATABASE "+name+" COLLATE utf8mb4_0900_ai_ci")
	require.NoError(t, err)
	t.Cleanup(func() {
		_, err := server.DB().Exec("DROP DATABASE " + name) // the context of the test has ended
		require.NoError(t, err)
		require.NoError(t, server.Close())
	})
	address, err := url.Parse(given)
	require.NoError(t, err)
	address.Path = "/" + name
	return address.String()
}

func openStore(t projectiontest.T, address string) *mysql.ProjectionStore {
	t.Helper()
	store, err := mysql.OpenProjectionStore(t.Context(), address)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	return store
}

// How long is waited for what is sure to come, and how often it is looked for.
const (
	waitMax = time.Minute
	poll    = time.Millisecond
)
