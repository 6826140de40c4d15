package eventstore_test

import (
	"context"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"passbook/es/eventstore"
)

// TestAckAfterDurable: nobody is told before the engine has said that
// everything under the commit is durable.
func TestAckAfterDurable(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEngine(t)
		g := newGate(e)
		store := start(t, e, eventstore.Config{GroupEvents: 2})
		var chain []*eventstore.Pending
		var after *eventstore.Pending
		for i := range int64(6) {
			after = submit(t, store, commit("a", i-1, 1), after)
			chain = append(chain, after)
			synctest.Wait() // so that the first is in flight, alone
		}
		for _, durable := range []int{1, 3, 5} {
			synctest.Wait()
			for i, p := range chain {
				require.Equal(t, int64(i) <= e.version("a"), settled(p), "commit %d with version %d durable", i, e.version("a"))
			}
			g.pass()
			synctest.Wait()
			require.GreaterOrEqual(t, e.version("a"), int64(durable)-1)
		}
		g.pass()
		for i, p := range chain {
			requireWritten(t, p, int64(i), int64(i)+1)
		}
	})
}

// TestAckAfterDurable_InEngine: a commit is acknowledged when the engine
// returns, not when it has begun.
func TestAckAfterDurable_InEngine(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEngine(t)
		e.onAppend = func(ctx context.Context, first int64, group commits) (outcomes, error) {
			out, err := e.EventStore.Append(ctx, first, group)
			elapse(time.Second) // written, and not known to be durable
			return out, err
		}
		store := start(t, e, eventstore.Config{})
		began := time.Now()
		_, err := store.Append(t.Context(), opening("a", 1))
		require.NoError(t, err)
		require.Equal(t, time.Second, time.Since(began))
	})
}

// TestCallersShareWrites: what comes while a group is in flight makes up the
// next one.
func TestCallersShareWrites(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEngine(t)
		g := newGate(e)
		store := start(t, e, eventstore.Config{})
		answers := make(chan error)
		for i := range 64 {
			go func() {
				_, err := store.Append(context.Background(), opening(strconv.Itoa(i), 1))
				answers <- err
			}()
			if i == 0 {
				synctest.Wait() // it is in flight before the others come
			}
		}
		synctest.Wait()
		for range 2 {
			g.pass()
			synctest.Wait()
		}
		for range 64 {
			require.NoError(t, <-answers)
		}
		require.Len(t, e.groups, 2)
		require.Equal(t, eventstore.Stats{Commits: 64, Groups: 2, Position: 64}, store.Stats())
	})
}

// TestHotStream: a chain of commits on one stream, each decided on the one
// before, is written in groups as commits of many streams are.
func TestHotStream(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEngine(t)
		g := newGate(e)
		store := start(t, e, eventstore.Config{})
		var after *eventstore.Pending
		var pending []*eventstore.Pending
		for i := range int64(200) {
			after = submit(t, store, commit("hot", 2*i-1, 2), after)
			pending = append(pending, after)
			if i == 0 {
				synctest.Wait()
			}
		}
		g.pass()
		g.pass()
		for i, p := range pending {
			requireWritten(t, p, 2*int64(i)+1, 2*int64(i)+2)
		}
		require.Len(t, e.groups, 2)
	})
}

// TestGroupLimits: streams are named after the group in which they have to be.
func TestGroupLimits(t *testing.T) {
	t.Parallel()
	payload := func(c eventstore.Commit, bytes int) eventstore.Commit {
		c.Events[0].Data = []byte(`"` + strings.Repeat("x", bytes-2) + `"`)
		return c
	}
	for name, test := range map[string]struct {
		config   eventstore.Config
		features eventstore.Features
		commits  commits
	}{
		"events": {
			config:  eventstore.Config{GroupEvents: 4},
			commits: commits{opening("0a", 2), opening("0b", 2), opening("1a", 1), opening("1b", 3), opening("2a", 1)},
		},
		"events of the engine": {
			features: eventstore.Features{GroupEvents: 2},
			commits:  commits{opening("0a", 1), opening("0b", 1), opening("1a", 1)},
		},
		"commits without events count": {
			config:  eventstore.Config{GroupEvents: 2},
			commits: commits{opening("0a", 0), opening("0b", 0), opening("1a", 0)},
		},
		"a larger commit goes alone": {
			config:  eventstore.Config{GroupEvents: 2},
			commits: commits{opening("0a", 1), opening("1a", 5), opening("2a", 1), opening("2b", 1)},
		},
		"bytes": {
			config: eventstore.Config{GroupBytes: 100},
			commits: commits{
				payload(opening("0a", 1), 60), payload(opening("0b", 1), 40), payload(opening("1a", 1), 500),
				payload(opening("2a", 1), 3),
			},
		},
		"bytes of the engine": {
			features: eventstore.Features{GroupBytes: 50},
			commits:  commits{payload(opening("0a", 1), 50), payload(opening("1a", 1), 50)},
		},
		"one key once": {
			commits: commits{keyed(opening("0a", 1), "k"), opening("0b", 1), keyed(opening("1a", 1), "k")},
		},
		"one version once": {
			commits: commits{opening("0", 1), commit("0", 0, 1), opening("0", 1)},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				e := newEngine(t)
				e.features = test.features
				store, err := eventstore.New(t.Context(), e, test.config)
				require.NoError(t, err)
				var pending []*eventstore.Pending
				for _, c := range test.commits {
					pending = append(pending, submit(t, store, c, nil))
				}
				ctx, cancel := context.WithCancel(t.Context())
				cancel() // what waits is written all the same
				require.NoError(t, store.Run(ctx))
				for _, p := range pending {
					require.True(t, settled(p))
				}
				for i, group := range e.groups {
					for _, stream := range group {
						if name != "one version once" {
							require.Equal(t, strconv.Itoa(i), stream[:1], "%v", e.groups)
						}
					}
				}
				require.Greater(t, len(e.groups), 1)
			})
		})
	}
}
