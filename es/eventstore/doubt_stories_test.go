package eventstore_test

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"passbook/es/event"
	"passbook/es/eventstore"
)

// TestDoubtStories: a group of three is written, or is on its way, and its
// answers are lost in one way or the other. Then the engine is down, for far
// longer than a group that is certainly not written would be tried. Whatever the
// pipeline has seen until then, it may not tell anybody that nothing was
// written: at last the rest arrives, and the engine is back.
func TestDoubtStories(t *testing.T) {
	t.Parallel()
	land := func(count int) attempt {
		return func(e *engine, first int64, group commits) (outcomes, error) {
			e.arrive(late{first, group}, count)
			return nil, errLost
		}
	}
	send := func(*engine, int64, commits) (outcomes, error) { return nil, errLost }
	notTried := func(_ *engine, _ int64, group commits) (outcomes, error) { return make(outcomes, len(group)), nil }
	// see finds the first of what arrived, and stops behind it, as engines may.
	see := func(e *engine, first int64, group commits) (outcomes, error) {
		out, err := e.EventStore.Append(context.Background(), first, group[:1])
		return append(out, make(outcomes, len(group)-1)...), err
	}
	// answerPart writes the first, and loses the answer to the rest.
	answerPart := func(e *engine, first int64, group commits) (outcomes, error) {
		out, _ := see(e, first, group)
		return out, errLost
	}
	foreign := func(then attempt) attempt {
		return func(e *engine, first int64, group commits) (outcomes, error) {
			e.elsewhere(opening(event.NewID(), 1))
			return then(e, first, group)
		}
	}
	for name, story := range map[string][]attempt{
		"sent":                                 {send},
		"arrived in part, seen":                {land(1), see},
		"arrived":                              {land(3)},
		"arrived, not seen":                    {land(3), notTried},
		"arrived, seen in part":                {land(3), see},
		"arrived, not seen, then seen in part": {land(3), notTried, see},
		"arrived in part, seen, not seen":      {land(1), see, notTried},
		"arrived in part, not seen, not seen":  {land(1), notTried, see, notTried},
		"answered in part":                     {answerPart, notTried, notTried},
		"displaced, then arrived, not seen":    {send, foreign(notTried), land(3), notTried},
		"displaced, then sent":                 {send, foreign(notTried), send},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { tellDoubtStory(t, story) })
		})
	}
}

func tellDoubtStory(t *testing.T, story []attempt) {
	t.Helper()
	e := newEngine(t)
	for range 40 {
		story = append(story, func(*engine, int64, commits) (outcomes, error) { return nil, notWritten() })
	}
	story = append(story, func(e *engine, first int64, group commits) (outcomes, error) {
		e.arrive(late{first, group}, len(group)) // at last
		return nil, notWritten()
	})
	script(e, story...)
	group := commits{opening("a", 2), opening("b", 1), opening("c", 1)}
	pending, stop := together(t, e, group...)
	for i, p := range pending {
		receipt, err := wait(p)
		require.NoError(t, err, "commit %d", i)
		requireOnce(t, e, group[i], receipt)
	}
	require.NoError(t, stop())
}

// TestDoubtEnds: once another's event is known to stand in the group's place, or
// its first commit is refused, a failure is a failure again.
func TestDoubtEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEngine(t)
		script(e, func(*engine, int64, commits) (outcomes, error) { return nil, errLost })
		passed := e.onAppend
		e.onAppend = func(ctx context.Context, first int64, group commits) (outcomes, error) {
			if len(group) == 1 {
				return nil, notWritten()
			}
			return passed(ctx, first, group)
		}
		pending, stop := together(t, e, commit("bad", 5, 1), opening("good", 1))
		requireFailed(t, pending[0], eventstore.ErrConflict)
		requireFailed(t, pending[1], eventstore.ErrUnavailable)
		require.NoError(t, stop())
	})
	synctest.Test(t, func(t *testing.T) {
		e := newEngine(t)
		down := false
		e.onAppend = func(ctx context.Context, first int64, group commits) (outcomes, error) {
			switch len(e.groups) {
			case 1:
				e.elsewhere(opening("theirs", 1))
				return nil, errLost
			case 2: // the place is taken
				return e.EventStore.Append(ctx, first, group)
			case 3: // and it was not we who took it
				e.elsewhere(opening("theirs too", 1))
				return e.EventStore.Append(ctx, first, group)
			}
			down = true
			return nil, notWritten()
		}
		store := start(t, e, eventstore.Config{})
		_, err := store.Append(t.Context(), opening("a", 1))
		require.ErrorIs(t, err, eventstore.ErrUnavailable)
		require.True(t, down)
		require.Equal(t, event.NoVersion, e.version("a"))
	})
}
