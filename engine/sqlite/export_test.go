package sqlite

import (
	"context"
	"database/sql"
)

// OnCommit puts a function in the place of the commit of every transaction.
func (s *EventStore) OnCommit(commit func(commit func() error) error) { s.db.committing = commit }

// Writer is the connection that writes.
func (s *EventStore) Writer() *sql.Conn { return s.db.writer.conn }

// OnReached has a function told of each step of Swap that is done.
func (r *Recovery) OnReached(reached func(step string)) { r.reached = reached }

// OpenConn opens one connection with a setting that has to be in force.
func OpenConn(ctx context.Context, path, name, value, inForce string) error {
	pool, err := newPool(path, "rwc", 1, []pragma{{name, value, inForce}})
	if err != nil {
		return err
	}
	return withClose(pool.PingContext(ctx), pool.Close())
}

// OnRemoval has a function called before each step in which the tables of a line
// that is not used any more are removed.
func (s *ProjectionStore) OnRemoval(removing func() error) { s.removing = removing }
