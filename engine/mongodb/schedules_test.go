package mongodb_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"passbook/es/eventstore"
)

// TestSchedules: attempts whose request or answer is lost, requests that arrive
// later, another writer in between, in any order. Whatever was told is so.
func TestSchedules(t *testing.T) {
	t.Parallel()
	s := newDoubtScene(t)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	told := newLedger()
	for i := range longer(t, 150) {
		s.schedule(random, told)
		if i%500 == 499 {
			told.compare(t, readAll(t, s.direct))
		}
	}
	s.release()
	told.compare(t, readAll(t, s.direct))
}

// schedule appends one group through the proxy, with what fate has in store for
// it, until it is known what became of each commit.
func (s *doubtScene) schedule(random *rand.Rand, told *ledger) {
	s.Helper()
	var group []eventstore.Commit
	eventsMax := 1 + random.IntN(2)
	for i := range 1 + random.IntN(3) {
		group = append(group, s.randomCommit(random, i, eventsMax))
	}
	first := s.head() + 1
	if random.IntN(3) > 0 {
		command := "insert"
		if eventsMax > 1 && random.IntN(2) == 0 {
			command = "commitTransaction"
		}
		s.watch(command, random.IntN(2) == 0)
		s.mayBeLost(first, group)
		s.pass()
	}
	for range random.IntN(3) {
		if random.IntN(2) == 0 {
			s.release()
			continue
		}
		c := s.randomCommit(random, 0, 1)
		s.note(told, c, untilSettled(s.Context(), s.direct, s.head()+1, c))
	}
	s.settle(told, first, group)
}

// randomCommit is one on a stream of few. The n-th of a group takes another
// stream than those before it.
func (s *doubtScene) randomCommit(random *rand.Rand, n, eventsMax int) eventstore.Commit {
	s.Helper()
	stream := fmt.Sprint("stream-", n, "-", random.IntN(3))
	version, err := s.direct.StreamVersion(s.Context(), stream)
	require.NoError(s, err)
	return commit(stream, version, 1+random.IntN(eventsMax))
}

// settle hands in what is left of a group until nothing is, as a Store does.
func (s *doubtScene) settle(told *ledger, first int64, group []eventstore.Commit) {
	s.Helper()
	for deadline := time.Now().Add(time.Minute); len(group) > 0; {
		require.False(s, time.Now().After(deadline), "a group that is never settled")
		outcomes, err := s.through.Append(s.Context(), first, group)
		var open []eventstore.Commit
		for i, c := range group {
			if i >= len(outcomes) || outcomes[i].State == eventstore.NotTried {
				open = append(open, c)
				continue
			}
			s.note(told, c, outcomes[i])
		}
		if err == nil && len(open) > 0 {
			first = max(first, s.head()+1)
		}
		group = open
	}
}

// note takes down what the engine said of a commit.
func (s *doubtScene) note(told *ledger, c eventstore.Commit, o eventstore.Outcome) {
	s.Helper()
	switch o.State {
	case eventstore.Written:
		told.note(c, eventstore.Receipt{Position: o.Position + int64(len(c.Events)) - 1}, nil)
	case eventstore.Conflict:
		told.note(c, eventstore.Receipt{}, eventstore.ErrConflict)
	default:
		require.Fail(s, "an outcome that nothing asked for", "%+v", o)
	}
}
