package eventstoretest

import (
	"github.com/stretchr/testify/require"

	"passbook/es/event"
	"passbook/es/eventstore"
)

func idempotencyCases() []Case {
	return []Case{
		{Name: "key finds what was committed under it", run: keyFinds},
		{Name: "key without hash and result", run: keyBare},
		{Name: "unknown key", run: keyUnknown},
		{Name: "same value of another client is another key", run: keyOfAnotherClient},
		{Name: "taken key is refused with its holder", run: keyTaken},
		{Name: "key of a refused commit stays free", run: keyStaysFree},
		{Name: "key is taken within a group", run: keyTakenInGroup},
		{Name: "commits without a key do not collide", run: keyless},
		{Name: "keys are told apart to the byte", run: keyBytes},
	}
}

func keyFinds(s *scene) {
	s.write(opening("x", 1))
	first, second := keyed(opening("a", 3), "me", "k1"), keyed(opening("b", 1), "me", "k2")
	s.write(first, commit("x", 0, 1), second)
	require.Equal(s, record(first, 4), s.key(first.Key))
	require.Equal(s, record(second, 6), s.key(second.Key))
	// It stays what it was, however the stream goes on.
	s.write(commit("a", 2, 2), keyed(commit("b", 0, 1), "me", "k3"))
	require.Equal(s, record(first, 4), s.key(first.Key))
	require.Equal(s, record(second, 6), s.key(second.Key))
}

func keyBare(s *scene) {
	c := opening("a", 1)
	c.Key = event.Key{Value: "k"}
	s.write(c)
	got := s.key(c.Key)
	require.Empty(s, got.RequestHash)
	require.Empty(s, got.Result)
	got.RequestHash, got.Result = nil, nil
	require.Equal(s, record(c, 1), got)
}

func keyUnknown(s *scene) {
	s.noKey(event.Key{Client: "me", Value: "k"})
	s.write(keyed(opening("a", 1), "me", "other"), opening("b", 1))
	s.noKey(event.Key{Client: "me", Value: "k"})
	s.noKey(event.Key{})
}

func keyOfAnotherClient(s *scene) {
	mine, yours := keyed(opening("a", 1), "me", "k"), keyed(opening("b", 1), "you", "k")
	nobodys := keyed(opening("c", 1), "", "k")
	s.write(mine)
	s.noKey(yours.Key)
	s.write(yours, nobodys)
	require.Equal(s, record(mine, 1), s.key(mine.Key))
	require.Equal(s, record(yours, 2), s.key(yours.Key))
	require.Equal(s, record(nobodys, 3), s.key(nobodys.Key))
	// The two parts are not run together.
	s.write(keyed(opening("d", 1), "ab", "c"), keyed(opening("e", 1), "a", "bc"))
}

func keyTaken(s *scene) {
	holder := keyed(opening("a", 2), "me", "k")
	s.write(holder)
	want := s.all()
	group := []eventstore.Commit{opening("b", 1), keyed(commit("a", 1, 1), "me", "k"), opening("c", 1)}
	outcomes := s.append(s.head()+1, group...)
	require.Equal(s, eventstore.Written, outcomes[0].State)
	requireTaken(s, outcomes[1], record(holder, 2))
	requireSame(s, append(want, placed(group[0], 3)...), s.all())
	for _, again := range []eventstore.Commit{
		keyed(opening("d", 1), "me", "k"), // another stream
		keyed(commit("a", 1, 3), "me", "k"),
	} {
		again.Result = []byte("another result")
		requireTaken(s, s.refused(again), record(holder, 2))
		require.Equal(s, record(holder, 2), s.key(holder.Key))
	}
}

func requireTaken(s *scene, outcome eventstore.Outcome, prior eventstore.KeyRecord) {
	s.Helper()
	require.Equal(s, eventstore.KeyTaken, outcome.State, "%+v", outcome)
	require.Equal(s, prior, outcome.Prior, "what the key's holder committed")
}

func keyStaysFree(s *scene) {
	s.write(opening("a", 1))
	late := keyed(commit("a", 4, 1), "me", "k")
	requireConflict(s, s.refused(late), 0)
	s.noKey(late.Key)
	outcomes := s.append(s.head()+1, commit("a", 9, 0), keyed(opening("b", 1), "me", "k2"))
	requireConflict(s, outcomes[0], 0)
	s.noKey(event.Key{Client: "me", Value: "k2"})
	late = keyed(commit("a", 0, 1), "me", "k")
	s.write(late)
	require.Equal(s, record(late, 2), s.key(late.Key))
}

func keyTakenInGroup(s *scene) {
	holder, other := keyed(opening("a", 2), "me", "k"), keyed(opening("b", 1), "me", "k")
	outcomes := s.append(1, holder, other, opening("c", 1))
	require.Equal(s, eventstore.Written, outcomes[0].State)
	requireTaken(s, outcomes[1], record(holder, 2))
	requireSame(s, placed(holder, 1), s.all())
}

func keyless(s *scene) {
	withoutKey := opening("a", 1)
	withoutKey.Key = event.Key{Client: "me"}
	s.write(withoutKey)
	withoutKey = commit("a", 0, 1)
	withoutKey.Key = event.Key{Client: "me"}
	s.write(withoutKey, commit("a", 1, 1), commit("a", 2, 1))
	s.noKey(event.Key{Client: "me"})
}

// keyBytes: databases like to compare texts by case, accents and trailing
// spaces as people do.
func keyBytes(s *scene) {
	values := []string{"Key", "key", "KEY", "kéy", "ke\u0301y", "key ", " key", "key%", "ключ", "k\x00y", "k"}
	var group []eventstore.Commit
	for _, value := range values {
		group = append(group, keyed(opening("stream of "+value, 1), "me", value))
	}
	s.write(group...)
	for i, c := range group {
		require.Equal(s, record(c, int64(i+1)), s.key(c.Key))
	}
}
