package eventstore_test

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"passbook/es/event"
	"passbook/es/eventstore"
)

// late is a group that was sent, and whose answer was lost: it may arrive at
// any time, in its place or not at all, whole or cut off behind a commit.
type late struct {
	first int64
	group commits
}

// arrive is what a database does with a group that it gets late: the place
// decides, as an index on positions does; ids are not looked at. It returns
// whether anything went in.
func (e *engine) arrive(l late, count int) bool {
	if l.first != e.top()+1 {
		return false
	}
	written := 0
	for _, c := range l.group[:min(count, len(l.group))] {
		out, _ := e.EventStore.Append(context.Background(), e.top()+1, commits{c})
		if out[0].State != eventstore.Written || len(c.Events) > 0 && out[0].Position != e.top()-int64(len(c.Events))+1 {
			break
		}
		written++
	}
	return written > 0
}

// attempt is what an engine does in a test at one call of Append.
type attempt func(e *engine, first int64, group commits) (outcomes, error)

// script answers one call after the other; those behind it go through.
func script(e *engine, attempts ...attempt) {
	e.onAppend = func(ctx context.Context, first int64, group commits) (outcomes, error) {
		if len(attempts) == 0 {
			return e.EventStore.Append(ctx, first, group)
		}
		next := attempts[0]
		attempts = attempts[1:]
		return next(e, first, group)
	}
}

// TestAmbiguousCommitLandsTwice: an attempt ends with an error, and its group is
// there all the same, or will be. Every caller is acknowledged, and every commit
// is there once, with its own event ids, where its receipt says.
func TestAmbiguousCommitLandsTwice(t *testing.T) {
	t.Parallel()
	for name, attempts := range ambiguities() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				e := newEngine(t)
				e.features.SharedWriters = true
				e.elsewhere(opening("account", 3))
				script(e, attempts()...)
				gate := newFirstGate(e)
				store := start(t, e, eventstore.Config{})
				submit(t, store, opening("before", 1), nil)
				<-gate.arrived
				group := commits{
					commit("account", 2, 1), commit("account", 3, 2), keyed(opening("other", 3), "k"), opening("third", 1),
				}
				pending := make([]*eventstore.Pending, len(group))
				for i, c := range group {
					pending[i] = submit(t, store, c, nil)
				}
				gate.open <- struct{}{}
				for i, c := range group {
					receipt, err := wait(pending[i])
					require.NoError(t, err, "commit %d", i)
					require.Equal(t, c.Expected+int64(len(c.Events)), receipt.Version)
					requireOnce(t, e, c, receipt)
				}
			})
		})
	}
}

// ambiguities begins each story with the group of "before", which goes through.
func ambiguities() map[string]func() []attempt {
	good := func(e *engine, first int64, group commits) (outcomes, error) {
		return e.EventStore.Append(context.Background(), first, group)
	}
	lost := func(*engine, int64, commits) (outcomes, error) { return nil, errLost }
	refused := func(*engine, int64, commits) (outcomes, error) { return nil, notWritten() }
	notTried := func(_ *engine, _ int64, group commits) (outcomes, error) { return make(outcomes, len(group)), nil }
	// landed brings in the first commits of the group, and then loses the answer.
	landed := func(count int) attempt {
		return func(e *engine, first int64, group commits) (outcomes, error) {
			if !e.arrive(late{first, group}, count) {
				e.t.Error("the story is wrong: nothing can arrive here")
			}
			return nil, errLost
		}
	}
	foreign := func(then attempt) attempt {
		return func(e *engine, first int64, group commits) (outcomes, error) {
			e.elsewhere(opening(event.NewID(), 2))
			return then(e, first, group)
		}
	}
	return map[string]func() []attempt{
		"arrived, answer lost":      func() []attempt { return []attempt{good, landed(4)} },
		"not arrived, answer lost":  func() []attempt { return []attempt{good, lost} },
		"arrived in part":           func() []attempt { return []attempt{good, landed(2)} },
		"arrived in part, twice":    func() []attempt { return []attempt{good, landed(1), good, landed(2)} },
		"answer lost five times":    func() []attempt { return []attempt{good, lost, lost, lost, lost, landed(4)} },
		"refused after the doubt":   func() []attempt { return []attempt{good, landed(4), refused, refused} },
		"not seen after the doubt":  func() []attempt { return []attempt{good, landed(4), notTried} },
		"place taken by another":    func() []attempt { return []attempt{good, lost, foreign(good)} },
		"arrived, others followed":  func() []attempt { return []attempt{good, landed(4), foreign(good)} },
		"in part, others followed":  func() []attempt { return []attempt{good, landed(2), foreign(lost), good, landed(1)} },
		"displaced, then in doubt":  func() []attempt { return []attempt{good, foreign(good), landed(4)} },
		"arrives before the second": func() []attempt { return arrivesLate(good, 1, good) },
		"arrives before the third":  func() []attempt { return arrivesLate(good, 1, lost, good) },
		"arrives behind the second": func() []attempt { return arrivesLate(good, 2, good, good) },
		"first arrives, as the second is in doubt": func() []attempt {
			return arrivesLate(good, 2, lost, refused, notTried, good)
		},
	}
}

// arrivesLate sends a group, loses its answer, and has the group arrive before
// one of the attempts that follow: each time what is left of it.
func arrivesLate(good attempt, before int, rest ...attempt) []attempt {
	var sent late
	story := []attempt{good, func(_ *engine, first int64, group commits) (outcomes, error) {
		sent = late{first, group}
		return nil, errLost
	}}
	for i, next := range rest {
		story = append(story, func(e *engine, first int64, group commits) (outcomes, error) {
			if i+1 >= before {
				e.arrive(sent, len(sent.group))
			}
			return next(e, first, group)
		})
	}
	return story
}
