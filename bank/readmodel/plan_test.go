package readmodel_test

import (
	"math/big"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"passbook/bank/readmodel"
	"passbook/contract/account"
)

// Every statement finds its rows by an index and sorts nothing; only the list of
// all accounts reads all of them.
func TestStatements_UseIndexes(t *testing.T) {
	s := newScene(t)
	statements, err := readmodel.Statements(readmodel.SQLite)
	require.NoError(t, err)
	byKey := "SEARCH bank_account USING PRIMARY KEY (id=?)"
	byVersion := "SEARCH account_entry USING PRIMARY KEY (account_id=?"
	listed := []string{byKey, "LIST SUBQUERY", "SCAN json_each VIRTUAL TABLE"}
	want := map[string][]string{
		"heads":          listed,
		"rows":           listed,
		"eventIDs":       {"SCAN k VIRTUAL TABLE", "SEARCH e USING PRIMARY KEY (account_id=? AND version=?)"},
		"insertAccount":  nil,
		"updateAccount":  {byKey},
		"updateStatus":   {byKey},
		"insertEntry":    nil,
		"ping":           {"SCAN CONSTANT ROW", "SCALAR SUBQUERY", "SCAN bank_account USING COVERING INDEX"}, // to the first row
		"byID":           {byKey},
		"all":            {"SCAN bank_account"},
		"all/count":      {"SEARCH bank_account USING COVERING INDEX bank_account_by_s_created (status=?)"},
		"byHolder":       {"SEARCH bank_account USING INDEX bank_account_by_holder (account_holder=?)"},
		"byHolder/count": {"SEARCH bank_account USING COVERING INDEX bank_account_by_holder (account_holder=?)"},
		"above":          {"SEARCH bank_account USING INDEX bank_account_by_balance (balance_units>?)"},
		"above/count":    {"SEARCH bank_account USING COVERING INDEX bank_account_by_balance (balance_units>?)"},
		"below":          {"SEARCH bank_account USING INDEX bank_account_by_balance (balance_units<?)"},
		"severalCurrencies": {
			"SCAN CONSTANT ROW",
			"SCALAR SUBQUERY", "SEARCH bank_account USING COVERING INDEX bank_account_by_c", // to the first of it, and to the last
			"SCALAR SUBQUERY", "SEARCH bank_account USING COVERING INDEX bank_account_by_c",
		},
		"since":         {byVersion + " AND version>?)"},
		"asOf":          {byVersion + " AND version<?)"},
		"closed":        {"SCAN CONSTANT ROW", "SCALAR SUBQUERY", "SEARCH account_entry USING COVERING INDEX account_entry_by_closing"},
		"entries":       {byVersion + " AND version>? AND version<?)"},
		"positionMax":   {"SEARCH account_entry USING COVERING INDEX account_entry_by_position"},
		"positionCount": {"SEARCH account_entry USING COVERING INDEX account_entry_by_position (position>? AND position<?)"},
		"positions":     {"SEARCH account_entry USING COVERING INDEX account_entry_by_position (position=?)", "LIST SUBQUERY", "SCAN json_each"},
		"below/count":   {"SEARCH bank_account USING COVERING INDEX bank_account_by_balance (balance_units<?)"},
	}
	require.Len(t, statements, len(want))
	for name, statement := range statements {
		args := make([]any, strings.Count(statement, "?"))
		steps := s.rows("EXPLAIN QUERY PLAN "+statement, args...)
		require.Len(t, steps, len(want[name]), "%s: %q", name, steps)
		for i, step := range steps {
			require.Contains(t, step, want[name][i], name)
		}
	}
}

// Every page is read along an index that has its order, from where the page
// before ended; one that asks for something exactly begins with it. The balance
// of a holder's accounts is in order too.
func TestFindPage_UsesIndexes(t *testing.T) {
	s := newScene(t)
	names := map[readmodel.Sort]string{
		readmodel.ByCreation: "creation_date", readmodel.ByBalance: "balance_units", readmodel.ByHolder: "account_holder",
	}
	queries := 0
	for q := range everyPage {
		queries++
		query, args, err := readmodel.PageStatement(readmodel.SQLite, &q)
		require.NoError(t, err)
		steps := s.rows("EXPLAIN QUERY PLAN "+query, args...)
		require.Len(t, steps, 1, "%q: %s", steps, query)
		require.Contains(t, steps[0], " USING INDEX bank_account_by_", query)
		isFirst := q.After == nil
		switch {
		case q.Holder != "":
			require.Contains(t, steps[0], "SEARCH bank_account USING INDEX bank_account_by_h", query)
			require.Contains(t, steps[0], "(account_holder=?", query)
		case q.Sort == readmodel.ByCreation && q.Status == account.StatusClosed:
			require.Contains(t, steps[0], "bank_account_by_s_created (status=?", query)
		case q.Sort != readmodel.ByHolder && !q.Currency.IsZero():
			require.Contains(t, steps[0], "(currency=?", query)
		case q.Sort == readmodel.ByCreation && q.Type != "":
			require.Contains(t, steps[0], "bank_account_by_t_created (account_type=?", query)
		case !isFirst:
			require.Contains(t, steps[0], "SEARCH", query)
		}
		if !isFirst && (q.Sort != readmodel.ByHolder || q.Holder == "") {
			require.Contains(t, steps[0], names[q.Sort], query)
		}
	}
	require.Equal(t, 3*2*2*2*3*2*2*4, queries)
}

// everyPage yields every kind of question.
func everyPage(yield func(readmodel.PageQuery) bool) {
	options := []func(q *readmodel.PageQuery, choice int){
		func(q *readmodel.PageQuery, choice int) { q.Sort = readmodel.Sort(choice) },
		func(q *readmodel.PageQuery, choice int) { q.Descending = choice > 0 },
		func(q *readmodel.PageQuery, choice int) {
			q.After = []*readmodel.Place{nil, {Key: "1", ID: "a"}}[choice]
		},
		func(q *readmodel.PageQuery, choice int) { q.Holder = []string{"", "A"}[choice] },
		func(q *readmodel.PageQuery, choice int) {
			q.Status = []account.Status{"", account.StatusOpen, account.StatusClosed}[choice]
		},
		func(q *readmodel.PageQuery, choice int) { q.Type = []account.Type{"", account.Savings}[choice] },
		func(q *readmodel.PageQuery, choice int) {
			q.Currency = []account.Currency{{}, money("1.00 EUR").Currency()}[choice]
		},
		func(q *readmodel.PageQuery, choice int) {
			q.MinBalance = []*big.Rat{nil, rat("1")}[choice&1]
			q.MaxBalance = []*big.Rat{nil, rat("1")}[choice>>1]
		},
	}
	choices := []int{3, 2, 2, 2, 3, 2, 2, 4}
	var choose func(q readmodel.PageQuery, n int) bool
	choose = func(q readmodel.PageQuery, n int) bool {
		if n == len(options) {
			return yield(q)
		}
		for choice := range choices[n] {
			options[n](&q, choice)
			if !choose(q, n+1) {
				return false
			}
		}
		return true
	}
	choose(readmodel.PageQuery{Limit: 50}, 0)
}
