package takeover_test

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"passbook/bank/legacy/takeover"
	contract "passbook/contract/account"
	"passbook/engine/memory"
	"passbook/es/archive"
	"passbook/es/event"
	"passbook/es/eventstore"
)

// bank is a source with a bit of everything.
func bank() *source {
	s := &source{}
	s.opened("a", 0, 100.1)
	s.opened("b", 0, 50)
	s.deposited("a", 1, 37.2)
	s.withdrawn("b", 1, -7)
	s.deposited("a", 2, 1)
	s.withdrawn("b", 3, 2.5)
	s.deposited("b", 2, 20)
	s.closed("a", 3)
	return s
}

var rulesOfBank = []string{"negative-withdrawal=as-deposit", "out-of-order=renumber-by-version", "closing-with-money=keep"}

// What a taken event tells: order over all accounts, times, where it came from.
func TestFill_Events(t *testing.T) {
	t.Parallel()
	report, all := takeOver(t, bank(), rulesOfBank...)
	require.Equal(t, []line{
		{"a", 0, opened("100.10")},
		{"b", 0, opened("50")},
		{"a", 1, deposited("37.20", "137.30")},
		{"b", 1, deposited("7", "57")},
		{"a", 2, deposited("1", "138.30")},
		{"b", 2, deposited("20", "77")},
		{"b", 3, withdrawn("2.50", "74.50")},
		{"a", 3, contract.Closed{}},
	}, lines(t, all))
	at := func(n int) time.Time { return began.Add(time.Duration(n) * time.Second) }
	require.Equal(t, at(1), all[1].Time, "an opening happened when it was created")
	require.Equal(t, at(2).Add(7*time.Millisecond), all[2].Time)
	require.Equal(t, at(6).Add(7*time.Millisecond), all[5].Time, "b's version 2 was stored last")
	require.Equal(t, all[5].Time, all[6].Time, "and version 3 did not happen before it")
	require.Equal(t, int64(1), report.TimesMoved)
	original := bson.Raw(bank().documents[2]).Lookup("_id").ObjectID().Hex()
	require.Equal(t, "mongodb:eventStore/"+original+"?version=1&timeStamp=2026-03-01T12:00:02.007Z", all[2].Metadata.CausationID)
	require.Contains(t, all[3].Metadata.CausationID, "&amount=-7&rules=negative-withdrawal:as-deposit")
	require.Regexp(t, `^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`, all[0].ID)
	require.Equal(t, "account", all[0].Category)
	require.Equal(t, []takeover.Corrected{
		{Account: "a", Kinds: []takeover.Kind{takeover.ClosingWithMoney}, BalanceThere: "138.3", Balance: eur("138.30")},
		{Account: "b", Kinds: []takeover.Kind{takeover.NegativeWithdrawal, takeover.OutOfOrder}, BalanceThere: "74.5", Balance: eur("74.50")},
	}, report.Corrected)
}

// stopping is a target whose n-th batch does not come to pass.
type stopping struct {
	archive.Target
	batches int
}

var errPlanted = errors.New("planted")

func (s *stopping) ImportEvents(ctx context.Context, events []event.Envelope, keys []eventstore.KeyRecord) error {
	if s.batches--; s.batches < 0 {
		return errPlanted
	}
	return s.Target.ImportEvents(ctx, events, keys)
}

// A takeover that was interrupted goes on, to the same events, with the same
// source, rules and currency, and with nothing else.
func TestFill_GoesOn(t *testing.T) {
	t.Parallel()
	_, want := takeOver(t, bank(), rulesOfBank...)
	two := archive.ImportConfig{BatchEvents: 2}
	for batches := range 4 {
		store := memory.NewEventStore()
		_, err := check(t, bank(), rulesOfBank...).Fill(t.Context(), &stopping{store, batches}, two)
		require.ErrorIs(t, err, errPlanted)
		_, err = store.History(t.Context())
		require.ErrorIs(t, err, eventstore.ErrNoHistory)

		other := bank()
		other.opened("late", 0, 1)
		yen := config(t, rulesOfBank...)
		yen.Currency, err = contract.ParseCurrency("USD")
		require.NoError(t, err)
		dollars, err := takeover.Check(t.Context(), bank(), yen)
		require.NoError(t, err)
		for name, plan := range map[string]*takeover.Plan{
			"source":   check(t, other, rulesOfBank...),
			"rules":    check(t, bank(), "negative-withdrawal=leave-out-event", rulesOfBank[1], rulesOfBank[2]),
			"currency": dollars,
		} {
			_, err := plan.Fill(t.Context(), store, two)
			require.ErrorIs(t, err, eventstore.ErrOtherImport, name)
		}

		filled, err := check(t, bank(), rulesOfBank...).Fill(t.Context(), store, two)
		require.NoError(t, err)
		require.Equal(t, int64(2*batches), filled.Resumed)
		all, err := store.ReadAll(t.Context(), 0, 100)
		require.NoError(t, err)
		require.Equal(t, want, all)
		_, err = check(t, bank(), rulesOfBank...).Fill(t.Context(), store, two)
		require.ErrorIs(t, err, eventstore.ErrNotEmpty)
	}
}

// A source to which somebody writes is not taken over, whenever that happens.
func TestChangedSource(t *testing.T) {
	t.Parallel()
	s := bank()
	plan := check(t, s, rulesOfBank...)
	s.opened("late", 0, 5)
	store := memory.NewEventStore()
	_, err := plan.Fill(t.Context(), store, noConfig)
	require.ErrorIs(t, err, takeover.ErrChanged)
	_, err = store.History(t.Context())
	require.ErrorIs(t, err, eventstore.ErrNoHistory)

	for reading := 2; reading <= 3; reading++ {
		moving := &growing{source: *bank(), at: reading}
		_, err = takeover.Check(t.Context(), moving, config(t, rulesOfBank...))
		require.ErrorIs(t, err, takeover.ErrChanged)
	}
	_, err = takeover.Check(t.Context(), &growing{source: *bank(), at: 4}, config(t, rulesOfBank...))
	require.NoError(t, err, "three readings are all that there are")
}

// growing is longer at one of its readings.
type growing struct {
	source

	at int
}

func (g *growing) Documents(ctx context.Context) iter.Seq2[[]byte, error] {
	now := g.source
	if g.at--; g.at == 0 {
		now.documents = slices.Clone(now.documents)
		now.opened("late", 0, 5)
	}
	return now.Documents(ctx)
}

func TestCheck_Refused(t *testing.T) {
	t.Parallel()
	_, err := takeover.Check(t.Context(), &source{}, config(t))
	require.ErrorIs(t, err, takeover.ErrNoEvents)
	own := &source{}
	own.add(bson.D{{Key: "_id", Value: int64(1)}, {Key: "aggregateIdentifier", Value: "a"}})
	_, err = takeover.Check(t.Context(), own, config(t))
	require.ErrorIs(t, err, takeover.ErrOwnStore)
	require.ErrorContains(t, err, "passbook import --from FILE")
}

// Without a rule for something, everything else is found all the same.
func TestReport(t *testing.T) {
	t.Parallel()
	s := bank()
	s.deposited("c", 0, 1)
	s.opened("d", 0, math.NaN())
	s.withdrawn("d", 1, 5)
	s.opened("d", 2, 0.1)
	report := check(t, s, "before-opening=leave-out-account", "overdraft=leave-out-event").Report
	require.Equal(t, []takeover.Kind{
		takeover.OutOfOrder, takeover.SecondOpening, takeover.NotANumber, takeover.NegativeWithdrawal, takeover.ClosingWithMoney,
	}, report.Open())
	require.Equal(t, []takeover.LeftOut{{Account: "c", Events: 1, Balance: "1", Kinds: []takeover.Kind{takeover.BeforeOpening}}}, report.LeftOut)
	require.Equal(t, int64(12), report.Events)
	require.Equal(t, int64(4), report.Accounts)
	require.Equal(t, int64(3), report.OpenAccounts)
	require.Zero(t, report.TakenAccounts)
	require.Empty(t, report.Corrected, "what becomes of them is not known yet")
	overdraft := report.Irregularities[5]
	require.Equal(t, takeover.Overdraft, overdraft.Kind)
	require.False(t, overdraft.Open)
	require.Equal(t, "a withdrawal of 5 on a balance of 0.00 EUR", overdraft.Accounts[0].What)
	require.Equal(t, int64(1), *overdraft.Accounts[0].FirstVersion)
	text, err := json.Marshal(report)
	require.NoError(t, err)
	require.NotContains(t, string(text), "null")
}

func TestParseRules(t *testing.T) {
	t.Parallel()
	for _, bad := range []struct{ rules, says string }{
		{"overdraft", "is no KIND=RULE: the kinds are no-account, foreign-id"},
		{"else=ignore", "is no KIND=RULE"},
		{"overdraft=as-deposit", "its rules are leave-out-account, leave-out-event"},
		{"overdraft=", "its rules are"},
		{"no-account=leave-out-account", "its rules are leave-out-event"},
		{"missing-holder=name=", "the text is no holder"},
		{"missing-holder=name=a\nb", "the text is no holder"},
		{"missing-type=type=GIRO", "its rules are leave-out-account, type=SAVINGS, type=CURRENT"},
		{"gap=renumber;gap=leave-out-account", "gap has two rules"},
	} {
		_, err := takeover.ParseRules(strings.Split(bad.rules, ";"))
		require.ErrorContains(t, err, bad.says)
	}
	rules, err := takeover.ParseRules([]string{"gap=renumber", "gap=renumber"})
	require.NoError(t, err)
	require.Equal(t, "gap=renumber\n", rules.String())
}
