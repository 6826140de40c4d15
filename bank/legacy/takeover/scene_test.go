package takeover_test

import (
	"context"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"passbook/bank/account"
	"passbook/bank/events"
	"passbook/bank/legacy/takeover"
	contract "passbook/contract/account"
	"passbook/engine/memory"
	"passbook/es/archive"
	"passbook/es/event"
)

// source is documents as the original stores them, in stored order.
type source struct{ documents [][]byte }

func (s *source) Documents(context.Context) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for _, d := range s.documents {
			if !yield(d, nil) {
				return
			}
		}
	}
}

// began is when the first document was stored; the others follow by a second.
var began = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// document is what the original stores, to the order of its members.
func (s *source) document(stream string, version int32, class string, data bson.D) bson.D {
	n := len(s.documents)
	at := began.Add(time.Duration(n) * time.Second)
	id := bson.NewObjectIDFromTimestamp(at)
	copy(id[4:], []byte{1, 2, 3, 4, 5, 0, byte(n >> 8), byte(n)})
	data = append(append(bson.D{{Key: "_id", Value: stream}}, data...),
		bson.E{Key: "version", Value: version}, bson.E{Key: "_class", Value: class})
	return bson.D{
		{Key: "_id", Value: id},
		{Key: "timeStamp", Value: bson.NewDateTimeFromTime(at.Add(7 * time.Millisecond))},
		{Key: "aggregateIdentifier", Value: stream},
		{Key: "aggregateType", Value: contract.LegacyAggregateClass},
		{Key: "version", Value: version},
		{Key: "eventType", Value: class},
		{Key: "eventData", Value: data},
		{Key: "_class", Value: contract.LegacyDocumentClass},
	}
}

func (s *source) add(d bson.D) {
	raw, err := bson.Marshal(d)
	if err != nil {
		panic(err) // a mistake of the test
	}
	s.documents = append(s.documents, raw)
}

func (s *source) opened(stream string, version int32, balance float64, change ...func(bson.D) bson.D) {
	at := began.Add(time.Duration(len(s.documents)) * time.Second)
	s.changed(s.document(stream, version, contract.LegacyClassOpened, bson.D{
		{Key: "accountHolder", Value: "John Doe"}, {Key: "accountType", Value: "SAVINGS"},
		{Key: "createdDate", Value: bson.NewDateTimeFromTime(at)}, {Key: "openingBalance", Value: balance},
	}), change)
}

func (s *source) deposited(stream string, version int32, amount float64, change ...func(bson.D) bson.D) {
	s.changed(s.document(stream, version, contract.LegacyClassDeposited, bson.D{{Key: "amount", Value: amount}}), change)
}

func (s *source) withdrawn(stream string, version int32, amount float64, change ...func(bson.D) bson.D) {
	s.changed(s.document(stream, version, contract.LegacyClassWithdrawn, bson.D{{Key: "amount", Value: amount}}), change)
}

func (s *source) closed(stream string, version int32, change ...func(bson.D) bson.D) {
	s.changed(s.document(stream, version, contract.LegacyClassClosed, bson.D{}), change)
}

func (s *source) changed(d bson.D, change []func(bson.D) bson.D) {
	for _, c := range change {
		d = c(d)
	}
	s.add(d)
}

// with sets a member, of eventData if the name begins with a dot; without takes
// it away.
func with(name string, value any) func(bson.D) bson.D {
	return func(d bson.D) bson.D {
		if name[0] == '.' {
			data := slices.IndexFunc(d, func(e bson.E) bool { return e.Key == "eventData" })
			d[data].Value = with(name[1:], value)(d[data].Value.(bson.D))
			return d
		}
		if i := slices.IndexFunc(d, func(e bson.E) bool { return e.Key == name }); i >= 0 {
			d[i].Value = value
			return d
		}
		return append(d, bson.E{Key: name, Value: value})
	}
}

func without(name string) func(bson.D) bson.D {
	return func(d bson.D) bson.D {
		if name[0] == '.' {
			data := slices.IndexFunc(d, func(e bson.E) bool { return e.Key == "eventData" })
			d[data].Value = without(name[1:])(d[data].Value.(bson.D))
			return d
		}
		return slices.DeleteFunc(d, func(e bson.E) bool { return e.Key == name })
	}
}

type tester interface {
	require.TestingT
	Helper()
}

func config(t tester, rules ...string) takeover.Config {
	t.Helper()
	parsed, err := takeover.ParseRules(rules)
	require.NoError(t, err)
	euro, err := contract.ParseCurrency("EUR")
	require.NoError(t, err)
	return takeover.Config{Currency: euro, Rules: parsed}
}

func check(t tester, s takeover.Source, rules ...string) *takeover.Plan {
	t.Helper()
	plan, err := takeover.Check(context.Background(), s, config(t, rules...))
	require.NoError(t, err)
	return plan
}

// takeOver takes a source over and returns the events of the store.
func takeOver(t tester, s takeover.Source, rules ...string) (takeover.Report, []event.Envelope) {
	t.Helper()
	plan := check(t, s, rules...)
	require.Empty(t, plan.Report.Open())
	store := memory.NewEventStore()
	_, err := plan.Fill(context.Background(), store, archive.ImportConfig{BatchEvents: 3})
	require.NoError(t, err)
	all, err := store.ReadAll(context.Background(), 0, 1<<20)
	require.NoError(t, err)
	require.Len(t, all, int(plan.Report.TakenEvents))
	return plan.Report, all
}

// line is an event as a test reads it.
type line struct {
	Stream  string
	Version int64
	Payload any
}

func lines(t tester, all []event.Envelope) []line {
	t.Helper()
	codec, err := events.Codec()
	require.NoError(t, err)
	short := make([]line, len(all))
	for i, e := range all {
		payload, err := codec.Decode(e.Type, e.Data)
		require.NoError(t, err)
		short[i] = line{e.Stream, e.Version, payload}
	}
	return short
}

func eur(amount string) contract.Money {
	m, err := contract.ParseMoney(amount, "EUR")
	if err != nil {
		panic(err) // a mistake of the test
	}
	return m
}

// requireSound wants every stream to be what the account's own rules allow, each
// event decided again from the ones before.
func requireSound(t tester, all []event.Envelope) map[string]account.State {
	t.Helper()
	states, next := make(map[string]account.State), make(map[string]int64)
	moments, ids := make(map[string]time.Time), make(map[string]bool)
	for i, l := range lines(t, all) {
		e := all[i]
		require.Equal(t, int64(i+1), e.Position)
		require.Equal(t, next[e.Stream], e.Version)
		require.False(t, e.Time.Before(moments[e.Stream]))
		require.False(t, ids[e.ID], "an id is there twice")
		require.True(t, e.Metadata.Imported)
		require.True(t, strings.HasPrefix(e.Metadata.CausationID, "mongodb:eventStore/"))
		state := states[e.Stream]
		decided, err := again(e.Stream, l.Payload, state)
		require.NoError(t, err)
		require.Equal(t, []any{l.Payload}, decided)
		states[e.Stream] = account.Evolve(state, l.Payload)
		next[e.Stream]++
		moments[e.Stream], ids[e.ID] = e.Time, true
	}
	return states
}

// again gives the command that leads to a payload to the account once more.
func again(stream string, payload any, state account.State) ([]any, error) {
	switch p := payload.(type) {
	case contract.Opened:
		return account.OpenAccount{AccountID: stream, Holder: p.AccountHolder, Type: p.AccountType, OpeningBalance: p.OpeningBalance}.Decide(state)
	case contract.Deposited:
		return account.DepositFunds{AccountID: stream, Amount: p.Amount}.Decide(state)
	case contract.Withdrawn:
		return account.WithdrawFunds{AccountID: stream, Amount: p.Amount}.Decide(state)
	default:
		return account.CloseAccount{AccountID: stream, AllowBalance: true}.Decide(state)
	}
}

var noConfig archive.ImportConfig
