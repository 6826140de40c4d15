package notify

import (
	"context"
	"database/sql"
	"fmt"
)

// lostText is the error of notifications whose event is no more.
const lostText = "its event was lost when the event store was put back from a back-up"

// Forget prepares the tables for another history of the event store, one that was
// put back from a back-up and goes on from there: the heads of the accounts are
// cleared, so that the feed of the new history is read from its beginning. Head
// is the position of the last event of the store as it was put back.
//
//   - What was dealt with is remembered by event id: where it comes again, nobody
//     hears of it again, on no channel. The record of what was sent stays.
//   - Events of the lost history, behind head, can not come again; what takes
//     their positions is news, and is notified. For that the start is lowered to
//     head, if it lay behind.
//   - Pending notifications of lost events are never sent: they say what is not
//     true any more. They fail, with the reason.
//
// It is to be run in one transaction with the removal of the engine's own rows of
// this consumer (checkpoints and parked streams), while no service runs on the
// database. Discarded events stay: they are told by event id. Running it again
// changes nothing.
func Forget(ctx context.Context, tx *sql.Tx, dialect Dialect, head int64) error {
	statements, err := dialect.statements()
	if err != nil {
		return err
	}
	now, err := statements.clock()(ctx, tx)
	if err != nil {
		return fmt.Errorf("notifications: forget the history: %w", err)
	}
	for _, step := range []struct {
		statement string
		args      []any
	}{
		{statements.lowerStart, []any{head}},
		{statements.rememberEvents, nil},
		{statements.clearEvents, nil},
		{statements.clearAccounts, nil},
		{statements.loseEvents, []any{lostText, now.UnixMicro(), head}},
	} {
		if _, err := tx.ExecContext(ctx, step.statement, step.args...); err != nil {
			return fmt.Errorf("notifications: forget the history: %w", err)
		}
	}
	return nil
}
