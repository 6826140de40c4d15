package bench

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"

	driver "github.com/go-sql-driver/mysql"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"passbook/bank/readmodel"
	"passbook/engine/mongodb"
	"passbook/engine/mysql"
	"passbook/engine/sqlite"
	"passbook/es/checkpoint"
	"passbook/es/eventstore"
	"passbook/es/projection"
)

// withDatabase returns the URL with another database. Who logs in does so where
// the URL says, or else in the database that it names.
func withDatabase(address, database string) string {
	scheme, rest, _ := strings.Cut(address, "://")
	host, query, _ := strings.Cut(rest, "?")
	host, before, _ := strings.Cut(host, "/")
	if scheme != "mysql" && strings.Contains(host, "@") && before != "" && !strings.Contains(query, "authSource=") {
		query = strings.TrimPrefix(query+"&authSource="+before, "&")
	}
	return scheme + "://" + host + "/" + database + prefixed("?", query)
}

// newEventStore returns the setting of a new event store, which is removed with
// the bench.
func (b *bench) newEventStore() string {
	if engineName(b.config.EventStore) == "SQLite" {
		return "sqlite:" + b.path("events") + ".db"
	}
	address := withDatabase(b.config.EventStore, b.called("events"))
	b.defers(func(ctx context.Context) error { return dropMongoDB(ctx, address) })
	return address
}

func dropMongoDB(ctx context.Context, address string) error {
	db, err := openMongoDB(address)
	if err != nil {
		return err
	}
	err = db.Drop(ctx)
	return errors.Join(err, db.Client().Disconnect(ctx))
}

// openMongoDB opens the database of a URL as it comes. Close its client.
func openMongoDB(address string) (*mongo.Database, error) {
	client, err := mongo.Connect(options.Client().ApplyURI(address))
	if err != nil {
		return nil, errors.New("PASSBOOK_EVENT_STORE (--event-store): it is no MongoDB URL") // what it holds is not for a screen
	}
	_, rest, _ := strings.Cut(address, "://")
	_, path, _ := strings.Cut(rest, "/")
	database, _, _ := strings.Cut(path, "?")
	return client.Database(database), nil
}

// storeEngine is an event store's engine, and what relays keep in it.
type storeEngine interface {
	eventstore.Engine
	eventstore.Filler
	io.Closer
}

// openEventStore opens the event store of a setting.
func openEventStore(ctx context.Context, setting string) (storeEngine, checkpoint.Store, error) {
	if path, ok := strings.CutPrefix(setting, "sqlite:"); ok {
		engine, err := sqlite.OpenEventStore(ctx, path)
		if err != nil {
			return nil, nil, err
		}
		checkpoints, err := engine.Checkpoints(ctx)
		if err != nil {
			return nil, nil, errors.Join(err, engine.Close())
		}
		return engine, checkpoints, nil
	}
	engine, err := mongodb.OpenEventStore(ctx, setting)
	if err != nil {
		return nil, nil, fmt.Errorf("PASSBOOK_EVENT_STORE (--event-store): %w", err)
	}
	return engine, engine.Checkpoints(), nil
}

// newReadDB returns the setting of a new read database, which is removed with the
// bench.
func (b *bench) newReadDB(ctx context.Context) (string, error) {
	if engineName(b.config.ReadDB) == "SQLite" {
		return "sqlite:" + b.path("read") + ".db", nil
	}
	name := b.called("read")
	b.defers(func(ctx context.Context) error { return onMySQL(ctx, b.config.ReadDB, "DROP DATABASE IF EXISTS "+name) })
	if err := onMySQL(ctx, b.config.ReadDB, "CREATE DATABASE "+name); err != nil {
		return "", err
	}
	return withDatabase(b.config.ReadDB, name), nil
}

// onMySQL runs a statement that is of no database.
func onMySQL(ctx context.Context, address, statement string) error {
	db, err := openMySQL(address)
	if err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, statement)
	if err = errors.Join(err, db.Close()); err != nil {
		return fmt.Errorf("PASSBOOK_READ_DB (--read-db): %s: %w", statement, err)
	}
	return nil
}

// openMySQL opens a server, without a database.
func openMySQL(address string) (*sql.DB, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, errors.New("PASSBOOK_READ_DB (--read-db): it is no MySQL URL") // what it holds is not for a screen
	}
	config := driver.NewConfig()
	config.Net, config.Addr, config.User = "tcp", u.Host, u.User.Username()
	config.Passwd, _ = u.User.Password()
	config.TLSConfig = u.Query().Get("tls")
	connector, err := driver.NewConnector(config)
	if err != nil {
		return nil, fmt.Errorf("PASSBOOK_READ_DB (--read-db): %w", err)
	}
	return sql.OpenDB(connector), nil
}

// readSide is a read database.
type readSide interface {
	projection.Store[*sql.Tx]
	DB() *sql.DB
	io.Closer
}

// openReadDB opens the read database of a setting, with the bank's tables.
func openReadDB(ctx context.Context, setting string) (_ readSide, dialect readmodel.Dialect, err error) {
	var side readSide
	if path, ok := strings.CutPrefix(setting, "sqlite:"); ok {
		dialect = readmodel.SQLite
		side, err = sqlite.OpenProjectionStore(ctx, path, sqlite.Rebuildable)
	} else {
		dialect = readmodel.MySQL
		side, err = mysql.OpenProjectionStore(ctx, setting)
	}
	if err != nil {
		return nil, dialect, fmt.Errorf("PASSBOOK_READ_DB (--read-db): %w", err)
	}
	if err := readmodel.Migrate(ctx, side.DB(), dialect); err != nil {
		return nil, dialect, errors.Join(err, side.Close())
	}
	return side, dialect, nil
}
