package readmodel_test

import (
	"context"
	"database/sql"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Somebody locks the tables whole, as for a swap, and has the second when the
// reader has the first: the server ends the reader's transaction, and it is run
// again.
func TestReader_MySQLRunsAgain(t *testing.T) {
	s := newMySQLScene(t)
	locked := make(chan error, 1)
	lock := func() {
		conn, err := s.db.Conn(context.Background())
		if err == nil {
			_, err = conn.ExecContext(context.Background(), `LOCK TABLES account_entry WRITE, bank_account WRITE`)
			_, _ = conn.ExecContext(context.Background(), `UNLOCK TABLES`)
			_ = conn.Close()
		}
		locked <- err
	}
	isWaiting := func() (waiting bool) {
		require.NoError(t, s.db.QueryRowContext(t.Context(), `SELECT EXISTS (SELECT 1 FROM information_schema.processlist
			WHERE db = DATABASE() AND state LIKE 'Waiting for table%')`).Scan(&waiting))
		return waiting
	}
	runs := 0
	require.NoError(t, s.reader.View(t.Context(), func(tx *sql.Tx) error {
		runs++
		var count int
		if err := tx.QueryRowContext(t.Context(), `SELECT count(*) FROM bank_account`).Scan(&count); err != nil {
			return err
		}
		if runs == 1 {
			go lock()
			require.Eventually(t, isWaiting, time.Minute, time.Millisecond)
		}
		return tx.QueryRowContext(t.Context(), `SELECT count(*) FROM account_entry`).Scan(&count)
	}))
	require.NoError(t, <-locked)
	require.Equal(t, 2, runs)
}
