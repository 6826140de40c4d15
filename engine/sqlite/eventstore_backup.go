package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
)

// Backup tells what a back-up holds.
type Backup struct {
	// History is the id of the history that it was taken of.
	History string
	// Head is the position of its last event.
	Head int64
}

// BackUp writes a copy of the store, as of one moment, to the file at path,
// which must not exist or be empty. The store may be open for reading only, and
// another process may write to it meanwhile; its write-ahead log grows as long as
// that takes. The copy was examined and is on the disk when BackUp returns;
// after an error there may be a part of it.
//
// The copy is marked as a back-up: it is no store to be served, which would go on
// under a history that has gone on elsewhere, but is put in place by a Recovery.
func (s *EventStore) BackUp(ctx context.Context, path string) (Backup, error) {
	if _, err := s.History(ctx); err != nil { // of an import under way there is nothing to keep
		return Backup{}, err
	}
	// Not one of the pool's connections: those refuse to write anything at all.
	if err := execute(ctx, s.db.path, "ro", []pragma{busyTimeout}, "VACUUM INTO ?", path); err != nil {
		return Backup{}, fmt.Errorf("copy the event store to %s: %w", path, err)
	}
	if err := execute(ctx, path, "rw", single, "UPDATE store SET pending = ?", pendingBackup); err != nil {
		return Backup{}, fmt.Errorf("mark %s as a back-up: %w", path, err)
	}
	backup, _, err := examineFile(ctx, path)
	if err == nil {
		err = syncFile(path)
	}
	if err != nil {
		return Backup{}, fmt.Errorf("back-up %s: %w", path, plain(err))
	}
	return backup, nil
}

// single are the settings of the one connection to a file that nobody else
// uses. It works without a write-ahead log, so that the file alone is everything.
var single = []pragma{
	busyTimeout,
	{"journal_mode", "DELETE", "delete"},
	{"synchronous", "FULL", "2"},
	{"fullfsync", "1", "1"},
	{"trusted_schema", "0", "0"},
}

// execute runs one statement on a connection of its own.
func execute(ctx context.Context, path, mode string, pragmas []pragma, statement string, args ...any) error {
	pool, err := newPool(path, mode, 1, pragmas)
	if err != nil {
		return err
	}
	_, err = pool.ExecContext(ctx, statement, args...)
	return withClose(err, pool.Close())
}

// examineFile reads a whole file that nobody else uses and tells whether it is a
// sound event store, by SQLite's account and by ours. Older tables are brought up
// to date.
func examineFile(ctx context.Context, path string) (backup Backup, pending string, err error) {
	pool, err := newPool(path, "rw", 1, single)
	if err != nil {
		return Backup{}, "", err
	}
	defer func() { err = withClose(err, pool.Close()) }()
	conn, err := pool.Conn(ctx)
	if err != nil {
		return Backup{}, "", err
	}
	defer func() { err = withClose(err, conn.Close()) }()
	version, err := inspect(ctx, eventStoreKind, conn)
	switch {
	case err != nil:
		return Backup{}, "", err
	case version == 0:
		return Backup{}, "", errors.New("it is empty, and no event store")
	}
	if err := checkIntegrity(ctx, conn); err != nil {
		return Backup{}, "", err
	}
	if version < len(eventStoreKind.schema) {
		if err := migrate(ctx, eventStoreKind, conn); err != nil {
			return Backup{}, "", err
		}
	}
	err = conn.QueryRowContext(ctx, selectHistory).Scan(&backup.History, &pending)
	if err == nil {
		backup.Head, err = checkNumbers(ctx, conn)
	}
	return backup, pending, err
}

func checkIntegrity(ctx context.Context, conn *sql.Conn) error {
	var verdict string
	if err := conn.QueryRowContext(ctx, "PRAGMA integrity_check(1)").Scan(&verdict); err != nil {
		return fmt.Errorf("check its integrity: %w", err)
	}
	if verdict != "ok" {
		return fmt.Errorf("it is damaged: %s", strings.Join(strings.Fields(verdict), " "))
	}
	return nil
}

// checkNumbers returns the head. Positions run from 1 and versions from 0
// without a gap, and each key names an event.
func checkNumbers(ctx context.Context, conn *sql.Conn) (head int64, err error) {
	var first, events, streams, keys int64
	err = conn.QueryRowContext(ctx, `SELECT
		(SELECT coalesce(max(position), 0) FROM event), (SELECT coalesce(min(position), 1) FROM event), (SELECT count(*) FROM event),
		(SELECT count(*) FROM (SELECT stream FROM event GROUP BY stream HAVING min(version) <> 0 OR max(version) <> count(*) - 1)),
		(SELECT count(*) FROM idempotency_key k WHERE NOT EXISTS
			(SELECT 1 FROM event e WHERE e.position = k.position AND e.stream = k.stream AND e.version = k.version))`).
		Scan(&head, &first, &events, &streams, &keys)
	switch {
	case err != nil:
		return 0, err
	case first != 1 || head != events:
		return 0, fmt.Errorf("it is damaged: it has %d events from position %d to %d", events, first, head)
	case streams > 0 || keys > 0:
		return 0, fmt.Errorf("it is damaged: %d streams have gaps and %d idempotency keys no event", streams, keys)
	}
	return head, nil
}
