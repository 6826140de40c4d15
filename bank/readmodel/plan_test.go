package readmodel_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"passbook/bank/readmodel"
)

// Every statement finds its rows by an index and sorts nothing; only the list of
// all accounts reads all of them.
func TestStatements_UseIndexes(t *testing.T) {
	s := newScene(t)
	statements, err := readmodel.Statements(readmodel.SQLite)
	require.NoError(t, err)
	byKey := "SEARCH bank_account USING PRIMARY KEY (id=?)"
	listed := []string{byKey, "LIST SUBQUERY", "SCAN json_each VIRTUAL TABLE"}
	want := map[string][]string{
		"heads":          listed,
		"rows":           listed,
		"eventIDs":       {"SCAN k VIRTUAL TABLE", "SEARCH e USING PRIMARY KEY (account_id=? AND version=?)"},
		"insertAccount":  nil,
		"updateAccount":  {byKey},
		"insertEntry":    nil,
		"ping":           {"SCAN CONSTANT ROW", "SCALAR SUBQUERY", "SCAN bank_account USING COVERING INDEX"}, // to the first row
		"byID":           {byKey},
		"all":            {"SCAN bank_account"},
		"all/count":      {"SCAN bank_account USING COVERING INDEX bank_account_by_created"},
		"byHolder":       {"SEARCH bank_account USING INDEX bank_account_by_holder (account_holder=?)"},
		"byHolder/count": {"SEARCH bank_account USING COVERING INDEX bank_account_by_holder (account_holder=?)"},
		"above":          {"SEARCH bank_account USING INDEX bank_account_by_balance (balance_units>?)"},
		"above/count":    {"SEARCH bank_account USING COVERING INDEX bank_account_by_balance (balance_units>?)"},
		"below":          {"SEARCH bank_account USING INDEX bank_account_by_balance (balance_units<?)"},
		"below/count":    {"SEARCH bank_account USING COVERING INDEX bank_account_by_balance (balance_units<?)"},
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
