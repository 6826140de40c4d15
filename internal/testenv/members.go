package testenv

import (
	"strings"
	"testing"
)

// Members are the members of a MongoDB replica set of one test, which may kill
// and stop them.
type Members struct{ *nodes }

// StartMembers starts a replica set of one or three members, electing in about
// two seconds, and ends it with the test. Arguments are for the server's program,
// behind those that it gets anyway. Members are missing (see Skip) where
// PASSBOOK_TEST_ENGINES=start is not set.
func StartMembers(t testing.TB, count int, arguments ...string) *Members {
	t.Helper()
	return &Members{startNodes(t, "mongodb", count, arguments...)}
}

// URL is the URL of the replica set, without a database.
func (m *Members) URL() string {
	return "mongodb://" + strings.Join(m.Addrs, ",") + "/?replicaSet=rs0"
}
