package mysql_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"passbook/engine/mysql"
	"passbook/es/projection/projectiontest"
	"passbook/internal/testenv"
)

// requireServer is for tests around suites, whose cases can not be skipped.
func requireServer(t *testing.T) {
	t.Helper()
	testenv.MySQL(t)
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
