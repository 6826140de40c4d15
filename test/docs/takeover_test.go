package docs_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/x/mongo/driver/connstring"

	"passbook/bank/legacy/takeover"
	"passbook/internal/testenv"
)

// javaEvents are what the guide's Java system has stored.
var javaEvents = []struct{ account, class, data string }{
	{"ada", "AccountOpenedEvent", `"accountHolder":"Ada","accountType":"SAVINGS","createdDate":{"$date":"2026-03-01T12:00:00Z"},"openingBalance":{"$numberDouble":"100.0"},`},
	{"bob", "AccountOpenedEvent", `"accountHolder":"Bob","accountType":"CURRENT","createdDate":{"$date":"2026-03-01T12:00:00Z"},"openingBalance":{"$numberDouble":"50.0"},`},
	{"ada", "FundsDepositedEvent", `"amount":{"$numberDouble":"37.3"},`},
	{"bob", "FundsWithdrawnEvent", `"amount":{"$numberDouble":"-7.0"},`},
	{"eve", "AccountOpenedEvent", `"accountHolder":"Eve","accountType":"SAVINGS","createdDate":{"$date":"2026-03-01T12:00:00Z"},"openingBalance":{"$numberDouble":"0.0"},`},
	{"eve", "FundsDepositedEvent", `"amount":{"$numberDouble":"137.29999999999998"},`},
}

func writeJavaEvents(t *testing.T, url string) {
	t.Helper()
	client, err := mongo.Connect(options.Client().ApplyURI(url))
	require.NoError(t, err)
	versions := make(map[string]int)
	for i, e := range javaEvents {
		class := "com.asimkilic.account.common.events." + e.class
		text := fmt.Sprintf(`{"_id":{"$oid":"69a42bc0a1b2c3d4e5f6%04x"},"timeStamp":{"$date":"2026-03-01T12:00:%02dZ"},"aggregateIdentifier":%q,
			"aggregateType":"com.asimkilic.account.cmd.domain.AccountAggregate","version":{"$numberInt":"%d"},"eventType":%q,
			"eventData":{"_id":%q,%s"version":{"$numberInt":"%d"},"_class":%q},"_class":"com.asimkilic.cqrs.core.events.EventModel"}`,
			i+1, i+1, e.account, versions[e.account], class, e.account, e.data, versions[e.account], class)
		var document bson.D
		require.NoError(t, bson.UnmarshalExtJSON([]byte(text), false, &document))
		_, err := client.Database(databaseOf(t, url)).Collection("eventStore").InsertOne(t.Context(), document)
		require.NoError(t, err)
		versions[e.account]++
	}
	require.NoError(t, client.Disconnect(t.Context()))
}

func databaseOf(t *testing.T, url string) string {
	t.Helper()
	parsed, err := connstring.Parse(url)
	require.NoError(t, err)
	return parsed.Database
}

// TestTakeOver walks through the guide about the Java system's data.
func TestTakeOver(t *testing.T) {
	t.Parallel()
	url := testenv.MongoDatabase(t)
	writeJavaEvents(t, url)
	command, query, broker := testenv.FreeAddr(t), testenv.FreeAddr(t), testenv.FreeAddr(t)
	place := strings.NewReplacer("mongodb://127.0.0.1:27017/bankAccount", url, "bankAccount.eventStore", databaseOf(t, url)+".eventStore",
		"127.0.0.1:5001", query)
	s := newShell(t, t.TempDir(), "PATH="+filepath.Dir(testenv.Program(t))+":"+os.Getenv("PATH"),
		"PASSBOOK_COMMAND_ADDR="+command, "PASSBOOK_QUERY_ADDR="+query, "PASSBOOK_NOTIFY_ADDR="+testenv.FreeAddr(t), "PASSBOOK_BROKER=embedded:"+broker,
		"PASSBOOK_COMMAND_URL=http://"+command, "PASSBOOK_QUERY_URL=http://"+query)
	walk(t, s, filepath.Join("docs", "take-over.md"), place)
}

// TestTakeOver_Kinds: the guide names every kind of irregularity and every rule.
func TestTakeOver_Kinds(t *testing.T) {
	t.Parallel()
	guide, err := os.ReadFile(filepath.Join("..", "..", "docs", "take-over.md"))
	require.NoError(t, err)
	for _, kind := range takeover.Kinds() {
		var rules []string
		for _, choice := range kind.Choices {
			if choice.Name != "leave-out-account" {
				rules = append(rules, "`"+choice.String()+"`")
			}
		}
		require.Contains(t, string(guide), fmt.Sprintf("| `%s` | %s | %s |\n", kind.Kind, kind.Means, strings.Join(rules, ", ")))
	}
}
