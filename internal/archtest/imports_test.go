package archtest_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"passbook/internal/archtest"
)

func TestCheckImports_Refuses(t *testing.T) {
	cases := []struct{ name, path, imports, want string }{
		{
			"toolkit to its left", "es/event/x.go", "passbook/es/bus",
			"es/event must not import es/bus: it may import nothing of ours",
		},
		{
			"toolkit to another module", "es/relay/x.go", "github.com/other/thing",
			"es imports the standard library only, not github.com/other/thing",
		},
		{
			"toolkit to an engine", "es/relay/x.go", "passbook/engine/memory",
			"es/relay must not import engine/memory",
		},
		{
			"engine to its sibling", "engine/kafka/x.go", "passbook/engine/broker",
			"engine/kafka must not import engine/broker",
		},
		{"engine to the bank", "engine/mysql/x.go", "passbook/bank/account", "engine/mysql must not import bank/account"},
		{"the broker to events", "engine/broker/x.go", "passbook/es/event", "it may import nothing of ours"},
		{"contract to the toolkit", "contract/account/x.go", "passbook/es/event", "it may import nothing of ours"},
		{
			"queries to the aggregate", "bank/queryapi/x.go", "passbook/bank/account",
			"bank/queryapi must not import bank/account",
		},
		{"queries to the store", "bank/queryapi/x.go", "passbook/es/eventstore", "must not import es/eventstore"},
		{"commands to the read model", "bank/commandapi/x.go", "passbook/bank/readmodel", "must not import bank/readmodel"},
		{"code to a suite", "engine/memory/x.go", "passbook/es/bus/bustest", "es/bus/bustest is test code"},
		{"the wiring to a suite", "cmd/passbook/x.go", "passbook/es/estest", "es/estest is test code"},
		{"code to the wiring", "bench/x.go", "passbook/cmd/passbook", "nobody imports it"},
		{"a test to the wiring", "test/e2e/x_test.go", "passbook/cmd/passbook", "nobody imports it"},
		{"a test to the wiring's inner room", "test/e2e/x_test.go", "passbook/cmd/passbook/internal/a", "nobody imports it"},
		{"a test to the bank", "es/event/x_test.go", "passbook/bank/account", "must not import bank/account"},
		{"to an unknown room", "es/relay/x.go", "passbook/es/util", "imports es/util, which is no room of the table"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			found := archtest.CheckImports(plant(t, map[string]string{c.path: importing(c.imports)}), archtest.Rooms())
			require.Len(t, found, 1)
			require.Contains(t, found[0].String(), c.path+":3: ")
			require.Contains(t, found[0].Text, c.want)
		})
	}
}

func TestCheckImports_UnknownRoom(t *testing.T) {
	tree := plant(t, map[string]string{"es/util/a.go": importing(), "es/util/b.go": importing()})
	require.Equal(t,
		[]string{"es/util: is no room of the table: add its row and its one sentence, or move the code"},
		texts(archtest.CheckImports(tree, archtest.Rooms())))
}

func TestCheckImports_Allows(t *testing.T) {
	tree := plant(t, map[string]string{
		"es/relay/x.go":                     importing("context", "passbook/es/eventstore", "passbook/es/relay/internal/a"),
		"es/relay/internal/a/x.go":          importing("passbook/es/bus"),
		"es/relay/x_test.go":                importing("passbook/es/relay", "passbook/engine/memory", "pgregory.net/rapid"),
		"es/bus/bustest/x.go":               importing("passbook/es/bus", "github.com/stretchr/testify/require"),
		"engine/kafka/x_test.go":            importing("passbook/engine/broker", "passbook/es/bus/bustest", "passbook/internal/testenv"),
		"bank/commandapi/x.go":              importing("passbook/bank/web", "passbook/contract/account"),
		"cmd/passbook/x.go":                 importing("passbook/es/run", "passbook/engine/mysql", "passbook/bank/notify"),
		"test/crash/x_test.go":              importing("passbook/bank/client", "passbook/internal/testenv"),
		"es/eventstore/eventstoretest/x.go": importing("passbook/engine/memory"),
	})
	require.Empty(t, texts(archtest.CheckImports(tree, archtest.Rooms())))
}

// TestRooms_AreSound keeps the table free of slips that would make a rule silent.
func TestRooms_AreSound(t *testing.T) {
	rooms := map[string]archtest.Room{}
	for _, r := range archtest.Rooms() {
		require.NotContains(t, rooms, r.Path, "a room stands in the table twice")
		require.NotEmpty(t, r.Is, "%s needs its one sentence", r.Path)
		rooms[r.Path] = r
	}
	for _, r := range rooms {
		for _, may := range r.May {
			if may[len(may)-1] != '.' {
				require.Contains(t, rooms, may, "%s may import a room that is not in the table", r.Path)
			}
		}
	}
	require.False(t, reaches(rooms), "the table lets two rooms import each other")
}

// reaches tells whether any room can reach itself.
func reaches(rooms map[string]archtest.Room) bool {
	var visit func(from, at string, seen map[string]bool) bool
	visit = func(from, at string, seen map[string]bool) bool {
		for _, next := range rooms[at].May {
			if next == from {
				return true
			}
			if !seen[next] {
				seen[next] = true
				if visit(from, next, seen) {
					return true
				}
			}
		}
		return false
	}
	for p := range rooms {
		if visit(p, p, map[string]bool{}) {
			return true
		}
	}
	return false
}
