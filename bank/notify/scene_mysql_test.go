package notify_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"passbook/bank/notify"
	"passbook/engine/mysql"
	"passbook/internal/testenv"
)

// onEngines runs a test on each engine: on MySQL where there is a server. Tests in
// a bubble of time stay with SQLite: a network does not go by the bubble's clock.
func onEngines(t *testing.T, test func(t *testing.T, newScene func(testing.TB) *scene)) {
	t.Helper()
	t.Run("SQLite", func(t *testing.T) { test(t, newScene) })
	t.Run("MySQL", func(t *testing.T) {
		test(t, newMySQLScene)
	})
}

// newMySQLScene has a new database, which goes with the test.
func newMySQLScene(tb testing.TB) *scene {
	tb.Helper()
	ctx := context.Background()
	store, err := mysql.OpenProjectionStore(ctx, testenv.MySQLDatabase(tb))
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, store.Close()) })
	require.NoError(tb, notify.Migrate(ctx, store.DB(), notify.MySQL))
	return &scene{tb: tb, store: store, db: store.DB(), dialect: notify.MySQL}
}
