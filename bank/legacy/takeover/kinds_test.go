package takeover_test

import (
	"maps"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"passbook/bank/legacy/takeover"
	contract "passbook/contract/account"
)

func opened(balance string) contract.Opened {
	return contract.Opened{AccountHolder: "John Doe", AccountType: contract.Savings, OpeningBalance: eur(balance)}
}

func deposited(amount, balance string) contract.Deposited {
	return contract.Deposited{Amount: eur(amount), Balance: eur(balance)}
}

func withdrawn(amount, balance string) contract.Withdrawn {
	return contract.Withdrawn{Amount: eur(amount), Balance: eur(balance)}
}

// irregular is an account with one kind of irregularity and what each rule makes
// of it: no payloads stand for an account that is not taken over.
type irregular struct {
	kind  takeover.Kind
	write func(*source)
	rules map[string][]any
}

// after returns an account that opens with 10.00, and what comes behind that.
func after(write func(*source)) func(*source) {
	return func(s *source) {
		s.opened("a", 0, 10)
		write(s)
	}
}

func documents() []irregular {
	ten, five := opened("10"), deposited("5", "15")
	deposit := func(change func(bson.D) bson.D) func(*source) {
		return after(func(s *source) { s.deposited("a", 1, 5, change) })
	}
	return []irregular{
		{takeover.ForeignID, deposit(with("_id", "zzz")), nil},
		{takeover.BadAccountID, func(s *source) { s.opened("a/b", 0, 10) }, nil},
		{takeover.BadAccountID, func(s *source) { s.opened(strings.Repeat("a", 65), 0, 10) }, nil},
		{takeover.UnknownType, deposit(with("eventType", "com.example.Else")), map[string][]any{"leave-out-event": {ten}}},
		{takeover.UnknownType, deposit(with("aggregateType", "com.example.Else")), map[string][]any{"leave-out-event": {ten}}},
		{takeover.UnknownType, deposit(with("_class", "com.example.Else")), map[string][]any{"leave-out-event": {ten}}},
		{takeover.UnknownType, deposit(without("eventType")), map[string][]any{"leave-out-event": {ten}}},
		{takeover.UnknownMember, deposit(with("more", 1)), map[string][]any{"ignore": {ten, five}}},
		{takeover.UnknownMember, deposit(with(".reference", "rent")), map[string][]any{"ignore": {ten, five}}},
		{takeover.Malformed, deposit(without("eventData")), map[string][]any{"leave-out-event": {ten}}},
		{takeover.Malformed, deposit(without(".amount")), map[string][]any{"leave-out-event": {ten}}},
		{takeover.Malformed, deposit(with(".amount", "5")), map[string][]any{"leave-out-event": {ten}}},
		{takeover.Malformed, deposit(with("version", "1")), map[string][]any{"leave-out-event": {ten}}},
		{takeover.Malformed, deposit(with("version", int32(-1))), map[string][]any{"leave-out-event": {ten}}},
		{takeover.Malformed, deposit(func(d bson.D) bson.D { return append(d, bson.E{Key: "version", Value: int32(1)}) }), map[string][]any{"leave-out-event": {ten}}},
		{takeover.Contradiction, deposit(with("._id", "b")), map[string][]any{"leave-out-event": {ten}, "ignore": {ten, five}}},
		{takeover.Contradiction, deposit(with(".version", int32(7))), map[string][]any{"leave-out-event": {ten}, "ignore": {ten, five}}},
		{takeover.Contradiction, deposit(with("._class", contract.LegacyClassWithdrawn)), map[string][]any{"leave-out-event": {ten}, "ignore": {ten, five}}},
		{takeover.MissingTime, deposit(without("timeStamp")), map[string][]any{"from-id": {ten, five}}},
		{takeover.MissingTime, deposit(with("timeStamp", "today")), map[string][]any{"from-id": {ten, five}}},
		{takeover.MissingTime, deposit(with("timeStamp", bson.DateTime(math.MaxInt64))), map[string][]any{"from-id": {ten, five}}},
		{takeover.MissingTime, func(s *source) { s.opened("a", 0, 10, with(".createdDate", nil)) }, map[string][]any{"from-id": {ten}}},
	}
}

func histories() []irregular {
	ten := opened("10")
	disordered := after(func(s *source) {
		s.withdrawn("a", 2, 10)
		s.deposited("a", 1, 5)
	})
	return []irregular{
		{takeover.DuplicateVersion, after(func(s *source) {
			s.deposited("a", 1, 5)
			s.deposited("a", 1, 6)
			s.deposited("a", 2, 7)
		}), map[string][]any{
			"renumber":            {ten, deposited("5", "15"), deposited("6", "21"), deposited("7", "28")},
			"renumber-by-version": {ten, deposited("5", "15"), deposited("6", "21"), deposited("7", "28")},
		}},
		{takeover.DuplicateVersion, after(func(s *source) { // stored after its version was used, and the one behind it
			s.deposited("a", 1, 5)
			s.deposited("a", 2, 7)
			s.deposited("a", 1, 6)
		}), map[string][]any{
			"renumber":            {ten, deposited("5", "15"), deposited("7", "22"), deposited("6", "28")},
			"renumber-by-version": {ten, deposited("5", "15"), deposited("6", "21"), deposited("7", "28")},
		}},
		{takeover.OutOfOrder, disordered, map[string][]any{
			"renumber":            {ten, withdrawn("10", "0"), deposited("5", "5")},
			"renumber-by-version": {ten, deposited("5", "15"), withdrawn("10", "5")},
		}},
		{takeover.Gap, after(func(s *source) { s.deposited("a", 2, 5) }), map[string][]any{"renumber": {ten, deposited("5", "15")}}},
		{takeover.Gap, func(s *source) { s.opened("a", 1, 10) }, map[string][]any{"renumber": {ten}}},
		{takeover.BeforeOpening, func(s *source) {
			s.deposited("a", 0, 5)
			s.opened("a", 1, 10)
		}, map[string][]any{"leave-out-event": {ten}}},
		{takeover.BeforeOpening, func(s *source) { s.deposited("a", 0, 5) }, map[string][]any{"leave-out-event": {}}},
		{takeover.SecondOpening, after(func(s *source) { s.opened("a", 1, 99) }), map[string][]any{"leave-out-event": {ten}}},
		{takeover.AfterClosing, func(s *source) {
			s.opened("a", 0, 0)
			s.closed("a", 1)
			s.deposited("a", 2, 5)
			s.withdrawn("a", 3, 5)
			s.closed("a", 4)
		}, map[string][]any{"leave-out-event": {opened("0"), contract.Closed{}}}},
		{takeover.ClosingWithMoney, after(func(s *source) { s.closed("a", 1) }), map[string][]any{
			"leave-out-event": {ten}, "keep": {ten, contract.Closed{}},
		}},
	}
}

func openings() []irregular {
	holder := func(name string) contract.Opened {
		o := opened("10")
		o.AccountHolder = name
		return o
	}
	current := opened("10")
	current.AccountType = contract.Current
	open := func(change func(bson.D) bson.D) func(*source) {
		return func(s *source) { s.opened("a", 0, 10, change) }
	}
	return []irregular{
		{takeover.MissingHolder, open(without(".accountHolder")), map[string][]any{"name=Un known": {holder("Un known")}}},
		{takeover.MissingHolder, open(with(".accountHolder", "")), map[string][]any{"name=a=b": {holder("a=b")}}},
		{takeover.BadHolder, open(with(".accountHolder", "John\nDoe")), map[string][]any{"name=X": {holder("X")}, "clean": {opened("10")}}},
		{takeover.BadHolder, open(with(".accountHolder", strings.Repeat("ä", 201))), map[string][]any{"clean": {holder(strings.Repeat("ä", 200))}}},
		{takeover.BadHolder, open(with(".accountHolder", " ")), map[string][]any{"name=X": {holder("X")}, "clean": {holder("-")}}},
		{takeover.MissingType, open(without(".accountType")), map[string][]any{"type=SAVINGS": {opened("10")}, "type=CURRENT": {current}}},
		{takeover.MissingType, open(with(".accountType", "GIRO")), map[string][]any{"type=CURRENT": {current}}},
		{takeover.NegativeOpening, func(s *source) { s.opened("a", 0, -10) }, map[string][]any{"zero": {opened("0")}}},
		{takeover.NotANumber, func(s *source) { s.opened("a", 0, math.NaN()) }, map[string][]any{"zero": {opened("0")}}},
		{takeover.InexactAmount, func(s *source) { s.opened("a", 0, 0.005) }, map[string][]any{"round": {opened("0.01")}, "leave-out-event": {}}},
		{takeover.OverLimit, func(s *source) { s.opened("a", 0, 1e12) }, map[string][]any{"leave-out-event": {}}},
	}
}

func amounts() []irregular {
	ten := opened("10")
	deposit := func(amount float64) func(*source) { return after(func(s *source) { s.deposited("a", 1, amount) }) }
	withdraw := func(amount float64) func(*source) { return after(func(s *source) { s.withdrawn("a", 1, amount) }) }
	return []irregular{
		{takeover.NotANumber, deposit(math.Inf(1)), map[string][]any{"zero": {ten}}},
		{takeover.NotANumber, withdraw(math.NaN()), map[string][]any{"zero": {ten}}},
		{takeover.InexactAmount, deposit(137.29999999999998), map[string][]any{"round": {ten, deposited("137.30", "147.30")}, "leave-out-event": {ten}}},
		{takeover.InexactAmount, deposit(1.005), map[string][]any{"round": {ten, deposited("1.01", "11.01")}}},
		{takeover.InexactAmount, withdraw(0.0149), map[string][]any{"round": {ten, withdrawn("0.01", "9.99")}}},
		{takeover.OverLimit, deposit(1e300), map[string][]any{"leave-out-event": {ten}}},
		{takeover.OverLimit, deposit(999999999999.99), map[string][]any{"leave-out-event": {ten}}},
		{takeover.NegativeDeposit, deposit(-4), map[string][]any{"leave-out-event": {ten}, "as-withdrawal": {ten, withdrawn("4", "6")}}},
		{takeover.ZeroDeposit, deposit(0), map[string][]any{"leave-out-event": {ten}}},
		{takeover.NegativeWithdrawal, withdraw(-7), map[string][]any{"leave-out-event": {ten}, "as-deposit": {ten, deposited("7", "17")}}},
		{takeover.ZeroWithdrawal, withdraw(math.Copysign(0, -1)), map[string][]any{"leave-out-event": {ten}}},
		{takeover.Overdraft, withdraw(10.01), map[string][]any{"leave-out-event": {ten}}},
	}
}

// Each kind is found by its name, nothing is taken over without a rule for it,
// and each rule does what it says, beside an account that is all right.
func TestKinds(t *testing.T) {
	t.Parallel()
	tried := map[string]bool{"no-account=leave-out-event": true} // below
	for _, list := range [][]irregular{documents(), histories(), openings(), amounts()} {
		for _, c := range list {
			s := &source{}
			s.opened("good", 0, 1)
			c.write(s)
			s.deposited("good", 1, 2)

			plan := check(t, s)
			require.Equal(t, []takeover.Kind{c.kind}, plan.Report.Open(), "%+v", plan.Report)
			_, err := plan.Fill(t.Context(), nil, noConfig)
			require.ErrorIs(t, err, takeover.ErrUndecided)

			c.rules = withLeaveOut(c.rules)
			for rule, want := range c.rules {
				given := string(c.kind) + "=" + rule
				tried[given] = true
				report, all := takeOver(t, s, given)
				requireSound(t, all)
				var payloads []any
				good := 0
				for _, l := range lines(t, all) {
					if l.Stream == "good" {
						good++
						continue
					}
					payloads = append(payloads, l.Payload)
				}
				require.Equal(t, 2, good)
				require.Equal(t, append([]any(nil), want...), payloads, given)
				require.Len(t, report.LeftOut, map[bool]int{true: 1}[len(want) == 0], given)
				require.Len(t, report.Corrected, map[bool]int{true: 1}[len(want) > 0], given)
			}
		}
	}
	for _, kind := range takeover.Kinds() {
		for _, choice := range kind.Choices {
			if choice.Value != "TEXT" {
				require.Contains(t, tried, string(kind.Kind)+"="+choice.String())
			}
		}
	}
}

func withLeaveOut(rules map[string][]any) map[string][]any {
	all := map[string][]any{"leave-out-account": nil}
	maps.Copy(all, rules)
	return all
}

func TestNoAccount(t *testing.T) {
	t.Parallel()
	s := &source{}
	s.opened("good", 0, 1)
	s.deposited("", 0, 5, with("more", 1))
	s.deposited("x", 0, 5, without("aggregateIdentifier"))
	plan := check(t, s)
	require.Equal(t, []takeover.Kind{takeover.NoAccount}, plan.Report.Open())
	require.Equal(t, int64(2), plan.Report.Irregularities[0].Accounts[0].Events)
	report, all := takeOver(t, s, "no-account=leave-out-event")
	require.Len(t, all, 1)
	require.Equal(t, int64(1), report.Accounts)
}

// A member that is null is as good as none, and what the original never looks at
// may be missing.
func TestNulls(t *testing.T) {
	t.Parallel()
	s := &source{}
	s.opened("a", 0, 1, with("aggregateType", nil), with("._class", nil), without("_class"))
	s.deposited("a", 1, 2, without("._id"), with(".version", nil))
	require.Empty(t, check(t, s).Report.Irregularities)
	s.deposited("a", 2, 2, with("eventData", nil))
	require.Equal(t, []takeover.Kind{takeover.Malformed}, check(t, s).Report.Open())
}
