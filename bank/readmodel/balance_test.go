package readmodel_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"passbook/bank/readmodel"
)

// edges are balances in currencies with 0, 2, 3 and 4 decimals, up to the limit
// of each.
var edges = []string{
	"0 JPY", "7 JPY", "999999999999 JPY",
	"0.00 EUR", "0.01 EUR", "6.99 EUR", "7.00 EUR", "7.01 EUR", "999999999999.99 EUR",
	"0.001 KWD", "7.000 KWD", "999999999999.999 KWD",
	"0.0001 CLF", "6.9999 CLF", "7.0001 CLF", "999999999999.9999 CLF",
}

// edgeScene has an account for each edge, with its balance as its id.
func edgeScene(t *testing.T, newScene func(testing.TB) *scene) *scene {
	t.Helper()
	s, h := newScene(t), newHistory()
	for _, text := range edges {
		h.open(edgeID(text), "Holder", money(text))
	}
	require.NoError(t, s.apply(h.events...))
	return s
}

func edgeID(text string) string { return strings.ReplaceAll(text, " ", "-") }

func TestBalance_ExactAtLimits(t *testing.T) { onEngines(t, testBalanceExactAtLimits) }

func testBalanceExactAtLimits(t *testing.T, newScene func(testing.TB) *scene) {
	s := edgeScene(t, newScene)
	for _, text := range edges {
		a, err := s.reader.FindAccountByID(t.Context(), edgeID(text))
		require.NoError(t, err)
		require.Equal(t, text, a.Balance.String())
		amount, _, _ := strings.Cut(text, " ")
		require.Equal(t, []string{amount}, s.rows(`SELECT balance FROM bank_account WHERE id = ?`, a.ID), "as people read it")
	}
	// Deposits up to the last unit, and a withdrawal of it.
	h := newHistory()
	h.open("full", "Holder", money("999999999999.98 EUR"))
	h.deposit("full", money("0.01 EUR"))
	require.NoError(t, s.apply(h.events...))
	require.Equal(t, []string{"999999999999.99|9999999999999900"},
		s.rows(`SELECT balance, balance_units FROM bank_account WHERE id = 'full'`))
	require.NoError(t, s.apply(h.withdraw("full", money("999999999999.99 EUR"), "")))
	require.Equal(t, []string{"0.00|0"}, s.rows(`SELECT balance, balance_units FROM bank_account WHERE id = 'full'`))
}

// The query agrees with exact fractions, for any number of decimals.
func TestFindAccountsWithBalance_ComparesExactly(t *testing.T) {
	onEngines(t, testFindAccountsWithBalanceComparesExactly)
}

func testFindAccountsWithBalanceComparesExactly(t *testing.T, newScene func(testing.TB) *scene) {
	s := edgeScene(t, newScene)
	numbers := rapid.OneOf(
		rapid.SampledFrom([]string{
			"0", "-1", "7", "7.0", "6.99", "6.995", "6.99990", "6.99995", "7.00005", "0.00005", "-0.00005", "1e-300",
			"999999999999", "999999999999.9999", "999999999999.99985", "1e12", "922337203685477", "922337203685478", "1e300", "-1e300",
		}),
		rapid.Custom(func(t *rapid.T) string {
			return fmt.Sprintf("%d.%06d", rapid.IntRange(0, 8).Draw(t, "whole"), rapid.IntRange(0, 999_999).Draw(t, "fraction"))
		}),
	)
	rapid.Check(t, func(rt *rapid.T) {
		text := numbers.Draw(rt, "number")
		number := rat(text)
		var above, below []string
		for _, edge := range edges {
			amount, _, _ := strings.Cut(edge, " ")
			switch rat(amount).Cmp(number) {
			case 1:
				above = append(above, edgeID(edge))
			case -1:
				below = append(below, edgeID(edge))
			}
		}
		for c, want := range map[readmodel.Comparison][]string{readmodel.Above: above, readmodel.Below: below} {
			found, err := s.reader.FindAccountsWithBalance(t.Context(), c, number)
			require.ElementsMatch(rt, want, ids(all(t, found, err)), "%v %s", c, text)
		}
	})
}

// The bounds of a page are inclusive and exact, for any number of decimals.
func TestFindPage_BoundsExactly(t *testing.T) { onEngines(t, testFindPageBoundsExactly) }

func testFindPageBoundsExactly(t *testing.T, newScene func(testing.TB) *scene) {
	s, h := newScene(t), newHistory()
	for _, amount := range []string{"0.0000", "0.0001", "6.9999", "7.0000", "7.0001"} {
		h.open(amount, "Holder", money(amount+" CLF"))
	}
	require.NoError(t, s.apply(h.events...))
	for _, c := range []struct {
		lowest, highest string
		want            []string
	}{
		{"0", "7", []string{"0.0000", "0.0001", "6.9999", "7.0000"}},
		{"0.00001", "7.00009", []string{"0.0001", "6.9999", "7.0000"}},
		{"6.99995", "1e300", []string{"7.0000", "7.0001"}},
		{"-1e300", "-0.00001", []string{}},
	} {
		page, err := s.reader.FindPage(t.Context(), &readmodel.PageQuery{
			MinBalance: rat(c.lowest), MaxBalance: rat(c.highest), Sort: readmodel.ByBalance, Limit: 10,
		})
		require.NoError(t, err)
		require.Equal(t, c.want, ids(page.Accounts), c)
		require.Nil(t, page.Next)
	}
}

func TestFindAccountsWithBalance_Order(t *testing.T) { onEngines(t, testFindAccountsWithBalanceOrder) }

func testFindAccountsWithBalanceOrder(t *testing.T, newScene func(testing.TB) *scene) {
	s := edgeScene(t, newScene)
	found, err := s.reader.FindAccountsWithBalance(t.Context(), readmodel.Above, rat("6.9999"))
	require.Equal(t, []string{
		"7-JPY", "7.00-EUR", "7.000-KWD", "7.0001-CLF", "7.01-EUR",
		"999999999999-JPY", "999999999999.99-EUR", "999999999999.999-KWD", "999999999999.9999-CLF",
	}, ids(all(t, found, err)))
	_, err = s.reader.FindAccountsWithBalance(t.Context(), 0, rat("1"))
	require.EqualError(t, err, "find accounts with balance: 0 is no comparison")
}
