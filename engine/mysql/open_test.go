package mysql_test

import (
	"net"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"passbook/engine/mysql"
	"passbook/internal/testenv"
)

func TestOpenProjectionStore_Address(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"mysql://user:sesame@/database":                       "names no host",
		"mysql://user:sesame@host":                            "names no database",
		"mysql://user:sesame@host/":                           "names no database",
		"mysql://user:sesame@host/a/b":                        "names no database",
		"mysql://:sesame@host/database":                       "names no user",
		"postgres://user:sesame@host/database":                "does not begin with mysql://",
		"mysql://user:ses%ame@host/database":                  "is no URL",
		"mysql://user:sesame@ho st/database":                  "is no URL",
		"mysql://user:sesame@host/database?multiStatements=1": `has a parameter "multiStatements"`,
		"mysql://user:sesame@host/database?tls=perhaps":       "its parameter tls is none of",
	} {
		_, err := mysql.OpenProjectionStore(t.Context(), address)
		require.ErrorContains(t, err, want, address)
		requireDiscreet(t, err)
	}
}

func requireDiscreet(t *testing.T, err error) {
	t.Helper()
	require.NotContains(t, err.Error(), "ses", "the password")
	require.NotContains(t, err.Error(), "\n")
}

func TestOpenProjectionStore_NobodyThere(t *testing.T) {
	t.Parallel()
	// A port that was free a moment ago.
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := listener.Addr().String()
	require.NoError(t, listener.Close())
	_, err = mysql.OpenProjectionStore(t.Context(), "mysql://user:sesame@"+address+"/database")
	require.ErrorContains(t, err, "read side mysql://"+address+"/database: ")
	requireDiscreet(t, err)
}

func TestOpenProjectionStore_Refused(t *testing.T) {
	t.Parallel()
	requireServer(t)
	address, err := url.Parse(testenv.MySQLDatabase(t))
	require.NoError(t, err)
	user := address.User
	address.User = url.UserPassword(user.Username(), "open sesame")
	_, err = mysql.OpenProjectionStore(t.Context(), address.String())
	require.ErrorContains(t, err, "Access denied")
	requireDiscreet(t, err)
	address.User, address.Path = user, "/there_is_none"
	_, err = mysql.OpenProjectionStore(t.Context(), address.String())
	require.ErrorContains(t, err, "there_is_none")
	requireDiscreet(t, err)
}

// TestOpenProjectionStore_AtOnce has many processes begin on an empty database.
func TestOpenProjectionStore_AtOnce(t *testing.T) {
	t.Parallel()
	requireServer(t)
	address := testenv.MySQLDatabase(t)
	errs := make([]error, 8)
	lives := make([]string, len(errs))
	var all sync.WaitGroup
	for i := range errs {
		all.Go(func() {
			store, err := mysql.OpenProjectionStore(t.Context(), address)
			if err != nil {
				errs[i] = err
				return
			}
			lives[i], _, errs[i] = lineOf(t.Context(), store)
			if err := store.Close(); errs[i] == nil {
				errs[i] = err
			}
		})
	}
	all.Wait()
	for i, err := range errs {
		require.NoError(t, err)
		require.NotEmpty(t, lives[i])
		require.Equal(t, lives[0], lives[i])
	}
}

func TestOpenProjectionStore_NewerTables(t *testing.T) {
	t.Parallel()
	requireServer(t)
	address := testenv.MySQLDatabase(t)
	_, err := openStore(t, address).DB().ExecContext(t.Context(), `INSERT INTO projection_schema (version) VALUES (99)`)
	require.NoError(t, err)
	_, err = mysql.OpenProjectionStore(t.Context(), address)
	require.ErrorContains(t, err, "its tables have version 99, and this program knows up to 1: use a newer one")
}

// TestProjectionStore_Settings: every connection has them, whatever the server
// has for others.
func TestProjectionStore_Settings(t *testing.T) {
	t.Parallel()
	requireServer(t)
	store := openStore(t, testenv.MySQLDatabase(t))
	for range 3 {
		conn, err := store.DB().Conn(t.Context())
		require.NoError(t, err)
		defer conn.Close()
		var isolation, modes, zone string
		require.NoError(t, conn.QueryRowContext(t.Context(),
			`SELECT @@transaction_isolation, @@sql_mode, @@time_zone`).Scan(&isolation, &modes, &zone))
		require.Equal(t, "READ-COMMITTED", isolation)
		require.Contains(t, strings.Split(modes, ","), "STRICT_ALL_TABLES")
		require.Equal(t, "+00:00", zone)
	}
	_, err := store.DB().ExecContext(t.Context(), `INSERT INTO lease (name, holder, fence, until_ms) VALUES (?, '', 0, 0)`,
		strings.Repeat("a", 256))
	require.ErrorContains(t, err, "Data too long", "nothing is cut off")
}
