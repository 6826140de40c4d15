package e2e_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/x/mongo/driver/connstring"

	"passbook/internal/testenv"
)

// javaStore is an event store as the Java system leaves it behind.
type javaStore struct {
	url       string
	began     time.Time
	documents []any
}

const javaEvents = "com.asimkilic.account.common.events."

// add writes a document as the Java system does, to the order and the types of
// its members. A version below zero, and changes, make something else of it.
func (s *javaStore) add(account string, version int32, event string, data bson.D, change ...func(bson.D) bson.D) {
	n := len(s.documents)
	at := s.began.Add(time.Duration(n) * time.Second)
	id := bson.NewObjectIDFromTimestamp(at)
	id[9], id[10], id[11] = byte(n>>16), byte(n>>8), byte(n)
	data = append(append(bson.D{{Key: "_id", Value: account}}, data...),
		bson.E{Key: "version", Value: version}, bson.E{Key: "_class", Value: javaEvents + event})
	document := bson.D{
		{Key: "_id", Value: id},
		{Key: "timeStamp", Value: bson.NewDateTimeFromTime(at)},
		{Key: "aggregateIdentifier", Value: account},
		{Key: "aggregateType", Value: "com.asimkilic.account.cmd.domain.AccountAggregate"},
		{Key: "version", Value: version},
		{Key: "eventType", Value: javaEvents + event},
		{Key: "eventData", Value: data},
		{Key: "_class", Value: "com.asimkilic.cqrs.core.events.EventModel"},
	}
	for _, c := range change {
		document = c(document)
	}
	s.documents = append(s.documents, document)
}

func (s *javaStore) opened(account string, version int32, balance float64, change ...func(bson.D) bson.D) {
	at := s.began.Add(time.Duration(len(s.documents)) * time.Second)
	s.add(account, version, "AccountOpenedEvent", bson.D{
		{Key: "accountHolder", Value: "John Doe"}, {Key: "accountType", Value: "SAVINGS"},
		{Key: "createdDate", Value: bson.NewDateTimeFromTime(at.Add(-50 * time.Millisecond))}, {Key: "openingBalance", Value: balance},
	}, change...)
}

func (s *javaStore) deposited(account string, version int32, amount float64, change ...func(bson.D) bson.D) {
	s.add(account, version, "FundsDepositedEvent", bson.D{{Key: "amount", Value: amount}}, change...)
}

func (s *javaStore) withdrawn(account string, version int32, amount float64) {
	s.add(account, version, "FundsWithdrawnEvent", bson.D{{Key: "amount", Value: amount}})
}

func (s *javaStore) closed(account string, version int32) {
	s.add(account, version, "AccountClosedEvent", bson.D{})
}

// member changes a member of a document, eventData's own behind "eventData.";
// nil takes it away.
func member(name string, value any) func(bson.D) bson.D {
	return func(d bson.D) bson.D {
		outer, inner, nested := strings.Cut(name, ".")
		i := slices.IndexFunc(d, func(e bson.E) bool { return e.Key == outer })
		switch {
		case nested:
			d[i].Value = member(inner, value)(d[i].Value.(bson.D))
		case i < 0:
			d = append(d, bson.E{Key: outer, Value: value})
		case value == nil:
			d = slices.Delete(d, i, i+1)
		default:
			d[i].Value = value
		}
		return d
	}
}

// newJavaStore writes documents into a database of their own.
func newJavaStore(t *testing.T, fill func(*javaStore)) *javaStore {
	t.Helper()
	s := &javaStore{url: testenv.MongoDatabase(t), began: time.Now().Add(-48 * time.Hour).Truncate(time.Second)}
	fill(s)
	s.insert(t, s.documents)
	return s
}

func (s *javaStore) insert(t *testing.T, documents []any) {
	t.Helper()
	parsed, err := connstring.Parse(s.url)
	require.NoError(t, err)
	client, err := mongo.Connect(options.Client().ApplyURI(s.url))
	require.NoError(t, err)
	for part := range slices.Chunk(documents, 10_000) {
		_, err = client.Database(parsed.Database).Collection("eventStore").InsertMany(t.Context(), part)
		require.NoError(t, err)
	}
	require.NoError(t, client.Disconnect(t.Context()))
}

// everyIrregularity has an account, named after it, for each kind there is.
func everyIrregularity(s *javaStore) {
	s.opened("97ebd5d8-9c2f-4dda-b59a-a1c62c20a6a8", 0, 50)
	s.deposited("97ebd5d8-9c2f-4dda-b59a-a1c62c20a6a8", 1, 100.1)
	s.deposited("97ebd5d8-9c2f-4dda-b59a-a1c62c20a6a8", 2, 0.2)
	s.withdrawn("97ebd5d8-9c2f-4dda-b59a-a1c62c20a6a8", 3, 20)
	s.deposited("", 0, 1, member("aggregateIdentifier", nil))
	s.deposited("foreign-id", 0, 1, member("_id", "text"))
	s.opened("bad account id", 0, 1)
	s.add("unknown-type", 0, "AccountFrozenEvent", bson.D{})
	for _, name := range []string{
		"unknown-member", "malformed", "contradiction", "missing-time", "duplicate-version", "out-of-order", "gap", "second-opening",
		"not-a-number", "inexact-amount", "over-limit", "negative-deposit", "zero-deposit", "negative-withdrawal", "zero-withdrawal",
		"overdraft", "after-closing", "closing-with-money",
	} {
		s.opened(name, 0, 10)
	}
	s.opened("missing-holder", 0, 10, member("eventData.accountHolder", nil))
	s.opened("bad-holder", 0, 10, member("eventData.accountHolder", "John\tDoe"))
	s.opened("missing-type", 0, 10, member("eventData.accountType", nil))
	s.opened("negative-opening", 0, -10)
	s.deposited("unknown-member", 1, 1, member("more", "text"))
	s.deposited("malformed", 1, 1, member("eventData.amount", "1.0"))
	s.deposited("contradiction", 1, 1, member("eventData._id", "other"))
	s.deposited("missing-time", 1, 1, member("timeStamp", nil))
	s.deposited("duplicate-version", 1, 1)
	s.deposited("duplicate-version", 1, 2)
	s.withdrawn("out-of-order", 2, 8)
	s.deposited("out-of-order", 1, 5)
	s.deposited("gap", 2, 1)
	s.deposited("before-opening", 0, 1)
	s.opened("second-opening", 1, 20)
	s.deposited("not-a-number", 1, math.NaN())
	s.deposited("not-a-number", 2, math.Inf(1))
	s.deposited("inexact-amount", 1, 137.29999999999998)
	s.deposited("over-limit", 1, 1e12)
	s.deposited("negative-deposit", 1, -4)
	s.deposited("zero-deposit", 1, 0)
	s.withdrawn("negative-withdrawal", 1, -7)
	s.withdrawn("zero-withdrawal", 1, 0)
	s.withdrawn("overdraft", 1, 11)
	s.withdrawn("after-closing", 1, 10)
	s.closed("after-closing", 2)
	s.deposited("after-closing", 3, 1)
	s.closed("closing-with-money", 1)
}

// manyAccounts has so many accounts of ten events each, their events mixed.
func manyAccounts(accounts int) func(*javaStore) {
	return func(s *javaStore) {
		for version := range int32(10) {
			for i := range accounts {
				id := fmt.Sprintf("account-%d", i)
				if version == 0 {
					s.opened(id, 0, 10)
					continue
				}
				s.deposited(id, version, float64(version)/10)
			}
		}
		s.withdrawn("account-0", 10, -7)
	}
}
