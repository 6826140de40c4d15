package notify_test

import (
	"context"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"passbook/bank/notify"
	"passbook/engine/mysql"
	"passbook/es/event"
)

// onEngines runs a test on each engine: on MySQL where there is a server. Tests in
// a bubble of time stay with SQLite: a network does not go by the bubble's clock.
func onEngines(t *testing.T, test func(t *testing.T, newScene func(testing.TB) *scene)) {
	t.Helper()
	t.Run("SQLite", func(t *testing.T) { test(t, newScene) })
	t.Run("MySQL", func(t *testing.T) {
		requireServer(t)
		test(t, newMySQLScene)
	})
}

// requireServer skips a test where there is no server, whose user has to be
// allowed to make databases.
func requireServer(tb testing.TB) {
	tb.Helper()
	if os.Getenv("PASSBOOK_TEST_MYSQL") == "" {
		tb.Skip("set PASSBOOK_TEST_MYSQL to mysql://user:password@host:port/database to test on a server")
	}
}

// newMySQLScene has a new database, which goes with the test. Its collation takes
// a for A and for ä, as databases have it that nobody thought about.
func newMySQLScene(tb testing.TB) *scene {
	tb.Helper()
	ctx := context.Background()
	address, err := url.Parse(os.Getenv("PASSBOOK_TEST_MYSQL"))
	require.NoError(tb, err)
	server, err := mysql.OpenProjectionStore(ctx, address.String())
	require.NoError(tb, err)
	name := "passbook_" + strings.ReplaceAll(event.NewID(), "-", "")
	_, err = server.DB().ExecContext(ctx, "CREATE DATABASE "+name+" COLLATE utf8mb4_0900_ai_ci")
	require.NoError(tb, err)
	tb.Cleanup(func() {
		_, err := server.DB().ExecContext(ctx, "DROP DATABASE "+name)
		require.NoError(tb, err)
		require.NoError(tb, server.Close())
	})
	address.Path = "/" + name
	store, err := mysql.OpenProjectionStore(ctx, address.String())
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, store.Close()) })
	require.NoError(tb, notify.Migrate(ctx, store.DB(), notify.MySQL))
	return &scene{tb: tb, store: store, db: store.DB(), dialect: notify.MySQL}
}
