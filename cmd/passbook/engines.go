package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"passbook/bank/notify"
	"passbook/bank/readmodel"
	"passbook/engine/mongodb"
	"passbook/engine/mysql"
	"passbook/engine/sqlite"
	"passbook/es/archive"
	"passbook/es/checkpoint"
	"passbook/es/eventstore"
	"passbook/es/projection"
)

// eventEngine is the engine of an event store, wherever it is.
type eventEngine interface {
	archive.Source
	eventstore.Filler
	Ping(ctx context.Context) error
	Close() error
}

func openEventStore(ctx context.Context, at location) (eventEngine, error) {
	if at.server() {
		return orNone(mongodb.OpenEventStore(ctx, at.url))
	}
	return orNone(sqlite.OpenEventStore(ctx, at.path))
}

// openEventStoreReadOnly opens an event store beside whoever serves it.
func openEventStoreReadOnly(ctx context.Context, at location) (eventEngine, error) {
	if at.server() {
		return orNone(mongodb.OpenEventStoreReadOnly(ctx, at.url))
	}
	return orNone(sqlite.OpenEventStoreReadOnly(ctx, at.path))
}

// orNone keeps a nil pointer from becoming an engine that is not nil.
func orNone[E eventEngine](engine E, err error) (eventEngine, error) {
	if err != nil {
		return nil, err
	}
	return engine, nil
}

// checkpointsIn returns the checkpoints of those who read an event store, which
// lie beside its events.
func checkpointsIn(ctx context.Context, engine eventEngine) (checkpoint.Store, error) {
	switch e := engine.(type) {
	case *sqlite.EventStore:
		return e.Checkpoints(ctx) //nolint:wrapcheck // the setting is named
	case *mongodb.EventStore:
		return e.Checkpoints(), nil
	}
	return nil, fmt.Errorf("no checkpoints are known in %T", engine) // a new engine that was forgotten here
}

// projectionEngine is the engine of a database that a consumer writes to,
// wherever it is.
type projectionEngine interface {
	projection.Lines[*sql.Tx]
	DB() *sql.DB
	SetAside(ctx context.Context, consumer string, after int64, limit int) ([]int64, error)
	Forget(ctx context.Context, tx *sql.Tx, consumer string) error
	Close() error
}

// readDB is the read database with its tables.
type readDB struct {
	projectionEngine
	dialect readmodel.Dialect
	leases  checkpoint.Store
}

// Owners of MySQL databases. They are never renamed.
const (
	readModelOwner     = "read model"
	notificationsOwner = "notification service"
)

// openReadDB opens the read database and makes its tables where there are none.
func openReadDB(ctx context.Context, at location) (db readDB, err error) {
	if at.server() {
		store, err := openMySQL(ctx, at, readModelOwner)
		if err != nil {
			return readDB{}, err
		}
		db = readDB{store, readmodel.MySQL, store.Leases()}
	} else {
		store, err := sqlite.OpenProjectionStore(ctx, at.path, sqlite.Rebuildable)
		if err != nil {
			return readDB{}, err //nolint:wrapcheck // the setting is named
		}
		db = readDB{store, readmodel.SQLite, store.Leases()}
	}
	if err := readmodel.Migrate(ctx, db.DB(), db.dialect); err != nil {
		return readDB{}, errors.Join(err, db.Close())
	}
	return db, nil
}

// openMySQL opens a database for one owner.
func openMySQL(ctx context.Context, at location, owner string) (*mysql.ProjectionStore, error) {
	store, err := mysql.OpenProjectionStore(ctx, at.url)
	if err != nil {
		return nil, err //nolint:wrapcheck // the setting is named
	}
	if err := store.Claim(ctx, owner); err != nil {
		return nil, errors.Join(err, store.Close())
	}
	return store, nil
}

// readOnly is a read database as verify reads it.
type readOnly struct {
	readmodel.Side
	dialect readmodel.Dialect
	close   func() error
}

// openReadDBReadOnly opens the read database beside whoever writes to it.
func openReadDBReadOnly(ctx context.Context, at location) (readOnly, error) {
	if at.server() {
		store, err := mysql.OpenProjectionStoreReadOnly(ctx, at.url)
		if err != nil {
			return readOnly{}, err //nolint:wrapcheck // the setting is named
		}
		return readOnly{store, readmodel.MySQL, store.Close}, nil
	}
	store, err := sqlite.OpenProjectionStoreReadOnly(ctx, at.path)
	if err != nil {
		return readOnly{}, err //nolint:wrapcheck // the setting is named
	}
	return readOnly{store, readmodel.SQLite, store.Close}, nil
}

// notifyDB is the notification database with its tables.
type notifyDB struct {
	projectionEngine
	dialect notify.Dialect
}

// openNotifyDB opens the notification database and makes its tables where there
// are none.
func openNotifyDB(ctx context.Context, at location) (db notifyDB, err error) {
	if at.server() {
		store, err := openMySQL(ctx, at, notificationsOwner)
		if err != nil {
			return notifyDB{}, err
		}
		db = notifyDB{store, notify.MySQL}
	} else {
		store, err := sqlite.OpenProjectionStore(ctx, at.path, sqlite.Durable)
		if err != nil {
			return notifyDB{}, err //nolint:wrapcheck // the setting is named
		}
		db = notifyDB{store, notify.SQLite}
	}
	if err := notify.Migrate(ctx, db.DB(), db.dialect); err != nil {
		return notifyDB{}, errors.Join(err, db.Close())
	}
	return db, nil
}
