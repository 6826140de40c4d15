package mysql

import (
	"context"
	"database/sql"
)

// Forget removes what is kept of a consumer, so that it begins at the feed's
// beginning again: its checkpoints and its parked streams with their queues, of
// the live line. What was discarded stays so. It is for a new history of the
// event store, and for when nobody runs the consumer.
func (s *ProjectionStore) Forget(ctx context.Context, tx *sql.Tx, consumer string) error {
	for _, table := range []string{"{checkpoint}", "{parked_event}", "{parked_stream}"} {
		if _, err := tx.ExecContext(ctx, s.names.Replace(`DELETE FROM `+table+` WHERE consumer = ?`), consumer); err != nil {
			return err
		}
	}
	return nil
}
