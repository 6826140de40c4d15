package mongodb

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/mongo/readconcern"

	"passbook/es/event"
	"passbook/es/eventstore"
)

// EventStore is an eventstore.Engine in a database of a MongoDB replica set.
// Any number of processes may have it open. Safe for concurrent use, but for
// Append, which has one caller at a time.
type EventStore struct {
	client *mongo.Client
	// events, snapshots and leases are read and written with majority; current is
	// events as a primary reads it that has asked the majority whether it still
	// is the primary.
	events, current, snapshots, leases, stores *mongo.Collection
	// operations is the admin database, read with the one read concern that it
	// has: what a member does at this moment is on no majority.
	operations  *mongo.Database
	application string
	// hasUser: the server asks who we are, and other users may exist.
	hasUser bool
	logger  *slog.Logger
	// writer marks what this engine wrote.
	writer string

	memory  memory
	yield   yielding
	orphans orphans
	// appending is held by Append, and guards what only that uses.
	appending sync.Mutex
	// failing: the last Append ended without an answer.
	failing bool
	rivals  rivals
	pleas   pleas

	closing sync.Once
	closed  error
}

var (
	_ eventstore.Engine  = (*EventStore)(nil)
	_ eventstore.Sharing = (*EventStore)(nil)
)

// GroupEvents and GroupBytes are the largest group that Append takes at once:
// beyond them nothing is won, and the server begins to cut.
const (
	groupEvents = 500
	groupBytes  = 256 << 10
)

// Collections of the store's database.
const (
	eventCollection    = "eventStore"
	storeCollection    = "eventStoreHistory"
	snapshotCollection = "eventStoreSnapshot"
	leaseCollection    = "eventStoreLease"
)

// OpenEventStore opens the event store in the database that the URL names
// (mongodb://host,host/passbook?replicaSet=name; passbook if it names none), and
// creates collections and indexes that are not there. The database has to be on
// a replica set, of one member at least.
//
// Write concern, read concern, read preference and retries are set by the store;
// what the URL says of them does not count. Its user needs readWrite on the
// database: see the package's own words on users. No error holds the password.
//
// An error is one line. One that is ErrUnusable stays until somebody acts, a user
// that the primary refuses among them; any other may pass: the database is not
// reached, or has no primary yet.
func OpenEventStore(ctx context.Context, url string) (*EventStore, error) {
	return open(ctx, url, "readWrite", (*EventStore).prepare)
}

// open opens a store for a user with a role.
func open(ctx context.Context, url, role string, check func(*EventStore, context.Context) error) (*EventStore, error) {
	settings, database, err := settings(url)
	if err != nil {
		return nil, err
	}
	client, err := mongo.Connect(settings)
	if err != nil {
		return nil, fmt.Errorf("%w: %s", ErrUnusable, wrongURL(url, err))
	}
	s := newEventStore(client, database)
	s.hasUser = settings.Auth != nil
	if err := check(s, ctx); err != nil {
		err = refusedUser(err, settings.Auth, role, database)
		return nil, errors.Join(fmt.Errorf("open event store in database %s: %w", database, err), s.Close())
	}
	return s, nil
}

func newEventStore(client *mongo.Client, database string) *EventStore {
	db := client.Database(database)
	linearizable := options.Collection().SetReadConcern(readconcern.Linearizable())
	return &EventStore{
		client:      client,
		events:      db.Collection(eventCollection),
		current:     db.Collection(eventCollection, linearizable),
		snapshots:   db.Collection(snapshotCollection),
		leases:      db.Collection(leaseCollection),
		stores:      db.Collection(storeCollection),
		operations:  client.Database("admin", options.Database().SetReadConcern(readconcern.Local())),
		application: appName + database,
		logger:      slog.Default(),
		writer:      event.NewID(),
		memory:      newMemory(),
		yield:       newYielding(),
		rivals:      newRivals(),
		pleas:       newPleas(db),
	}
}

func (s *EventStore) prepare(ctx context.Context) error {
	if err := s.checkDeployment(ctx); err != nil {
		return err
	}
	if err := s.checkPositions(ctx); err != nil { // before an index is built on what is not ours
		return err
	}
	if err := s.makeCollections(ctx); err != nil {
		return err
	}
	return s.beginHistory(ctx)
}

// wireVersion50 is MongoDB 5.0: since then a field of a document may have a
// dollar or a dot in its name, as members of payloads may.
const wireVersion50 = 13

// checkDeployment refuses what can not keep the store's promises.
func (s *EventStore) checkDeployment(ctx context.Context) error {
	var hello struct {
		SetName     string `bson:"setName"`
		Msg         string `bson:"msg"`
		WireVersion int    `bson:"maxWireVersion"`
	}
	if err := s.operations.RunCommand(ctx, bson.D{{Key: "hello", Value: 1}}).Decode(&hello); err != nil {
		return err
	}
	switch {
	case hello.Msg == "isdbgrid":
		return fmt.Errorf("%w: the URL leads to a sharded cluster, whose unique indexes end at a shard: use a replica set", ErrUnusable)
	case hello.SetName == "":
		return fmt.Errorf("%w: the server is not a member of a replica set: start it with --replSet and initiate the set", ErrUnusable)
	case hello.WireVersion < wireVersion50:
		return fmt.Errorf("%w: the server is older than MongoDB 5.0", ErrUnusable)
	}
	return nil
}

// LogTo has warnings go to a logger, and not to slog.Default(). It is called
// before anything else is.
func (s *EventStore) LogTo(logger *slog.Logger) { s.logger = logger }

// closeTimeout is how long closing waits for the server.
const closeTimeout = 5 * time.Second

// Close ends transactions that are open, and the connections. Calls that run
// fail, as every later one does; another Close does nothing.
func (s *EventStore) Close() error {
	s.closing.Do(func() {
		ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
		defer cancel()
		if s.appending.TryLock() { // else an Append runs, and sees to its own
			s.orphans.endOwn(ctx, s)
			s.appending.Unlock()
		}
		s.closed = s.client.Disconnect(ctx)
	})
	return s.closed
}

// Features implements eventstore.Engine: other processes may write too.
func (s *EventStore) Features() eventstore.Features {
	return eventstore.Features{SharedWriters: true, GroupEvents: groupEvents, GroupBytes: groupBytes}
}
