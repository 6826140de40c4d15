package mongodb_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"passbook/engine/mongodb"
	"passbook/es/checkpoint/checkpointtest"
	"passbook/es/event"
	"passbook/es/eventstore"
	"passbook/es/eventstore/eventstoretest"
	"passbook/internal/testenv"
)

// guarded is a replica set whose members know each other by a key file, and
// everybody else by name and password.
type guarded struct {
	*testenv.Members
	admin *mongo.Database
}

// adminPassword has what must not stand in a URL as it is.
const adminPassword = "s3cr:t/ädmin@%"

func newGuarded(t testing.TB, arguments ...string) *guarded {
	t.Helper()
	key := filepath.Join(t.TempDir(), "key")
	require.NoError(t, os.WriteFile(key, []byte("onlyForThisTest"), 0o400))
	g := &guarded{Members: testenv.StartMembers(t, 1, append(arguments, "--keyFile", key)...)}
	// Who comes from the same machine may make the first user.
	g.create(t, g.connect(t, g.URL()), "admin", adminPassword, role("root", "admin"))
	g.admin = g.connect(t, g.url("admin", adminPassword, "admin"))
	return g
}

func (g *guarded) connect(t testing.TB, url string) *mongo.Database {
	t.Helper()
	client, err := mongo.Connect(options.Client().ApplyURI(url))
	require.NoError(t, err)
	t.Cleanup(func() { _ = client.Disconnect(context.Background()) })
	return client.Database("admin")
}

func (g *guarded) create(t require.TestingT, admin *mongo.Database, user, password string, roles ...bson.D) {
	command := bson.D{{Key: "createUser", Value: user}, {Key: "pwd", Value: password}, {Key: "roles", Value: append([]bson.D{}, roles...)}}
	require.NoError(t, admin.RunCommand(context.Background(), command).Err())
}

// url is that of a database for a user.
func (g *guarded) url(user, password, database string) string {
	front, query, _ := strings.Cut(g.URL(), "?")
	_, hosts, _ := strings.Cut(front, "://")
	return "mongodb://" + url.UserPassword(user, password).String() + "@" + hosts + database + "?authSource=admin&" + query
}

// readWrite is the role that the package's comment names.
func readWrite(database string) bson.D { return role("readWrite", database) }

func role(name, database string) bson.D {
	return bson.D{{Key: "role", Value: name}, {Key: "db", Value: database}}
}

// room is a database of its own, with a user who may do nothing else.
func (g *guarded) room(t require.TestingT) room {
	name := "bank" + strings.ReplaceAll(event.NewID(), "-", "")
	g.create(t, g.admin, name, adminPassword, readWrite(name))
	return roomAt(g.url(name, adminPassword, name))
}

// TestAuthentication runs the suites with a user that has the one role which the
// guide names.
func TestAuthentication(t *testing.T) {
	t.Parallel()
	g := newGuarded(t)
	t.Run("EventStore", func(t *testing.T) {
		t.Parallel()
		eventstoretest.Run(t, eventstoretest.Technology{Reopens: true, Create: func(t eventstoretest.TB) eventstoretest.Open {
			return openEventStore(g.room(t))
		}})
	})
	t.Run("Checkpoints", func(t *testing.T) {
		t.Parallel()
		checkpointtest.Run(t, checkpointtest.Technology{Reopens: true, Create: func(t checkpointtest.TB) checkpointtest.Open {
			return openCheckpoints(g.room(t))
		}})
	})
	t.Run("Watch", func(t *testing.T) {
		t.Parallel()
		r := g.room(t)
		ctx, stop := context.WithTimeout(t.Context(), watchMax)
		defer stop()
		wakes, _ := watching(ctx, r.open(t))
		<-wakes
		mustAppend(t, r.open(t), 1, opening("a", 2))
		<-wakes
	})
	t.Run("Refused", func(t *testing.T) {
		t.Parallel()
		g.refusals(t)
	})
	t.Run("ReadOnly", func(t *testing.T) {
		t.Parallel()
		r := g.room(t)
		mustAppend(t, r.open(t), 1, opening("a", 1))
		reader := "reader" + r.database
		g.create(t, g.admin, reader, adminPassword, role("read", r.database))
		store, err := mongodb.OpenEventStoreReadOnly(t.Context(), g.url(reader, adminPassword, r.database))
		require.NoError(t, err)
		require.Len(t, readAll(t, store), 1)
		require.NoError(t, store.Close())
	})
}

// refusals: a user that is refused is a wrong setting, and said in one line.
func (g *guarded) refusals(t *testing.T) {
	t.Helper()
	r := g.room(t)
	user := r.database
	for name, test := range map[string]struct{ url, says string }{
		"unknown user":      {g.url("nobody", adminPassword, user), `user "nobody" or its password is not accepted`},
		"wrong password":    {g.url(user, adminPassword+"!", user), "or its password is not accepted"},
		"other user source": {strings.Replace(r.url, "authSource=admin", "authSource=other", 1), `in database "other"`},
		"no user":           {roomOn(g.Members).url, "names none: want mongodb://user:password@"},
		"no right":          {g.url(user, adminPassword, "other"), "grant it the role readWrite on database other"},
	} {
		_, err := mongodb.OpenEventStore(t.Context(), test.url)
		require.ErrorIs(t, err, mongodb.ErrUnusable, name)
		requireOneLine(t, err, test.says)
		require.NotContains(t, err.Error(), "s3cr", name)
	}
	_, err := mongodb.OpenEventStoreReadOnly(t.Context(), g.url(user, adminPassword, "other"))
	require.ErrorIs(t, err, mongodb.ErrUnusable)
	requireOneLine(t, err, "grant it the role read on database other")
}

// TestOrphan_OtherUser: a process with another database user dies between insert
// and commit. Who may, ends its transaction; who may not waits until the server
// does, and says what is missing.
func TestOrphan_OtherUser(t *testing.T) {
	t.Parallel()
	g := newGuarded(t)
	r := g.room(t)
	dead := "dead" + r.database
	g.create(t, g.admin, dead, adminPassword, readWrite(r.database))
	for _, test := range []struct {
		name           string
		events         int // one goes as an insert, two as a transaction
		may            bool
		serverPatience time.Duration
	}{
		{"insert waits", 1, false, 6 * time.Second},
		{"transaction waits", 2, false, 6 * time.Second},
		{"insert is freed", 1, true, time.Hour},
		{"transaction is freed", 2, true, time.Hour},
	} {
		t.Run(test.name, func(t *testing.T) {
			g.run(t, "setParameter", 1, bson.E{Key: "transactionLifetimeLimitSeconds", Value: int(test.serverPatience.Seconds())})
			if test.may {
				g.letEndTransactions(t, r.database)
			}
			engine, log := r.open(t), &bytes.Buffer{}
			engine.LogTo(slog.New(slog.NewTextHandler(log, nil)))
			first := int64(len(readAll(t, engine)) + 1)
			g.leaveTransaction(t, g.url(dead, adminPassword, r.database), first)
			appendUntilWritten(t, engine, first, opening(event.NewID(), test.events))
			if test.may {
				require.Empty(t, log.String())
				return
			}
			require.Equal(t, 1, strings.Count(log.String(), "\n"), log.String())
			require.Contains(t, log.String(), "the actions inprog and killAnySession")
		})
	}
}

func (g *guarded) run(t testing.TB, command string, value any, rest ...bson.E) {
	t.Helper()
	require.NoError(t, g.admin.RunCommand(t.Context(), append(bson.D{{Key: command, Value: value}}, rest...)).Err())
}

// letEndTransactions gives a user what the warning names.
func (g *guarded) letEndTransactions(t testing.TB, user string) {
	t.Helper()
	name := "ends" + event.NewID()
	g.run(t, "createRole", name, bson.E{Key: "roles", Value: bson.A{}}, bson.E{Key: "privileges", Value: bson.A{bson.D{
		{Key: "resource", Value: bson.D{{Key: "cluster", Value: true}}},
		{Key: "actions", Value: bson.A{"inprog", "killAnySession"}},
	}}})
	g.run(t, "grantRolesToUser", user, bson.E{Key: "roles", Value: bson.A{name}})
}

// leaveTransaction takes a position in a transaction that nobody will end, as a
// process of passbook's.
func (g *guarded) leaveTransaction(t testing.TB, url string, position int64) {
	t.Helper()
	database := roomAt(url).database
	client, err := mongo.Connect(options.Client().ApplyURI(url).SetAppName("passbook event store " + database))
	require.NoError(t, err)
	t.Cleanup(func() { _ = client.Disconnect(context.Background()) })
	session, err := client.StartSession()
	require.NoError(t, err)
	require.NoError(t, session.StartTransaction())
	_, err = client.Database(database).Collection("eventStore").
		InsertOne(mongo.NewSessionContext(t.Context(), session), bson.D{{Key: "_id", Value: position}, {Key: "eventId", Value: event.NewID()}})
	require.NoError(t, err)
}

// appendUntilWritten hands a commit in until it is written.
func appendUntilWritten(t testing.TB, engine *mongodb.EventStore, first int64, c eventstore.Commit) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), watchMax)
	defer cancel()
	for {
		outcomes, err := engine.Append(ctx, first, []eventstore.Commit{c})
		if err == nil && outcomes[0].State == eventstore.Written {
			return
		}
		require.False(t, err != nil && !errors.Is(err, eventstore.ErrNotWritten), "%v", err)
		require.NoError(t, ctx.Err(), "position %d was not freed", first)
	}
}
