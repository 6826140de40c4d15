package sqlite

import (
	"context"
	"database/sql"
	"iter"

	"passbook/es/eventstore"
)

var _ eventstore.KeySource = (*EventStore)(nil)

// keysPage is how many keys one read brings.
const keysPage = 1000

// Rows are in the order of their commits: they are written in it, one after the
// other, never removed, and a VACUUM keeps their order. So the row's own number
// serves as the place to go on from, and the keys need no index by position.
const selectKeys = "SELECT rowid, " + keyColumns + " FROM idempotency_key" +
	" WHERE rowid > ? AND position <= ? ORDER BY rowid LIMIT ?"

// Keys implements eventstore.KeySource.
func (s *EventStore) Keys(ctx context.Context, upTo int64) iter.Seq2[eventstore.KeyRecord, error] {
	return func(yield func(eventstore.KeyRecord, error) bool) {
		for last := int64(0); ; {
			var page []eventstore.KeyRecord
			err := s.db.query(ctx, selectKeys, []any{last, upTo, keysPage}, func(rows *sql.Rows) error {
				var r eventstore.KeyRecord
				err := rows.Scan(&last, &r.Key.Client, &r.Key.Value, &r.RequestHash, &r.Result, &r.Stream, &r.Version, &r.Position)
				page = append(page, r)
				return err
			})
			if err != nil {
				yield(eventstore.KeyRecord{}, err)
				return
			}
			for i := range page {
				if !yield(page[i], nil) {
					return
				}
			}
			if len(page) < keysPage {
				return
			}
		}
	}
}
