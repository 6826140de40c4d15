package e2e_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/x/mongo/driver/connstring"

	"passbook/internal/testenv"
)

// putBack takes the database of an event store to where it stood at a position,
// as MongoDB's own tools do with an older back-up.
func putBack(t *testing.T, url string, position int64) {
	t.Helper()
	parsed, err := connstring.Parse(url)
	require.NoError(t, err)
	client, err := mongo.Connect(options.Client().ApplyURI(url))
	require.NoError(t, err)
	events := client.Database(parsed.Database).Collection("eventStore")
	_, err = events.DeleteMany(t.Context(), bson.D{{Key: "_id", Value: bson.D{{Key: "$gt", Value: position}}}})
	require.NoError(t, err)
	require.NoError(t, client.Disconnect(t.Context()))
}

// A store on MongoDB that was put back gets its new history: the accounts stand
// as they stood, what was built from the old one is built anew, and nobody is
// told twice.
func TestRecover_MongoDB(t *testing.T) {
	t.Parallel()
	url := testenv.MongoDatabase(t)
	data := filepath.Join(t.TempDir(), "data")
	store := []string{"--event-store", url}
	p := testenv.Start(t, data, store...)
	id := open(t, p, "Careful", 10)
	deposit(t, p, id, 5)
	requireBalance(t, p, id, "15.0")
	requireNotified(t, p, 2)
	refuses(t, append([]string{"backup", "--data", data, filepath.Join(data, "bak")}, store...), "PASSBOOK_EVENT_STORE", "mongodump")
	refuses(t, append([]string{"recover", "--data", data, "file"}, store...), "FILE", "without FILE")
	refuses(t, []string{"recover", "--data", data}, "FILE")
	refuses(t, append([]string{"recover", "--data", data}, store...), "PASSBOOK_DATA", "held by another passbook")
	p.Stop()

	putBack(t, url, 1)
	require.Contains(t, mustOperate(t, append([]string{"recover", "--data", data}, store...)...), "recovered: events up to position 1; the new history is ")
	p = testenv.Start(t, data, store...)
	p.AwaitReady(t.Context())
	requireBalance(t, p, id, "10.0")
	deposit(t, p, id, 1)
	requireBalance(t, p, id, "11.0")
	require.Zero(t, testenv.RequireFeed(t, p.Broker, 2))
	requireNotified(t, p, 3)
	require.Contains(t, mustOperate(t, append([]string{"verify", "--data", data, "--broker", "kafka://" + p.Broker}, store...)...), "agree")
	p.Stop()
}

// The whole store goes from one engine to the other as a file, keys included.
func TestExportAndImport_MongoDB(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	old, file, back := filepath.Join(dir, "old"), filepath.Join(dir, "file"), filepath.Join(dir, "back")
	p := testenv.Start(t, old)
	id := open(t, p, "Moving", 100)
	_, answer := keyedDeposit(t, p, id, "salary", 20)
	p.Stop()
	mustOperate(t, "export", "--data", old, file)

	store := []string{"--event-store", testenv.MongoDatabase(t)}
	target := filepath.Join(dir, "new")
	require.Contains(t, mustOperate(t, append([]string{"import", "--data", target, "--from", file}, store...)...), "imported 2 events and 1 idempotency keys")
	refuses(t, append([]string{"import", "--data", target, "--from", file}, store...), "is not empty", "name another database")
	p = testenv.Start(t, target, store...)
	requireBalance(t, p, id, "120.0")
	header, again := keyedDeposit(t, p, id, "salary", 20)
	require.Equal(t, answer, again)
	require.Equal(t, "true", header.Get("Idempotent-Replayed"))
	deposit(t, p, id, 1)
	requireBalance(t, p, id, "121.0")
	p.Stop()

	mustOperate(t, append([]string{"export", "--data", target, "--force", file}, store...)...)
	require.Contains(t, mustOperate(t, "import", "--data", back, "--from", file), "imported 3 events and 1 idempotency keys")
}
