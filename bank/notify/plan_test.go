package notify_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"passbook/bank/notify"
)

// However many notifications there are: nothing that is asked again and again
// looks at all of them, or sorts them.
func TestStatements_UseIndexes(t *testing.T) {
	s := newScene(t)
	for name, statement := range notify.Statements(notify.SQLite) {
		args := make([]any, strings.Count(statement, "?"))
		plan := s.rows(`EXPLAIN QUERY PLAN `+statement, args...)
		require.NotEmpty(t, plan, name)
		for _, step := range plan {
			require.NotContains(t, step, "TEMP B-TREE", name)
			if strings.Contains(statement, "json_each") { // it has a list of what it wants
				require.NotContains(t, step, "(state=?)", "%s: all of that state", name)
				require.NotContains(t, step, "(channel=?)", "%s: all of that channel", name)
			}
			if strings.Contains(step, "SCAN") && !strings.Contains(step, "SCAN json_each") && !strings.Contains(step, "SCAN k VIRTUAL") {
				require.Equal(t, "pending", name, "%s: only what is pending is counted: %s", name, step)
				require.Contains(t, step, "notification_pending", name)
			}
		}
	}
}
