package aggregate_test

import (
	"context"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"passbook/es/aggregate"
	"passbook/es/event"
	"passbook/es/eventstore"
)

// sharing is an engine that has seen some of what other processes wrote.
type sharing struct {
	*engine
	mu     sync.Mutex
	least  int64
	recent []event.Envelope
}

func newSharing() *sharing {
	e := newEngine()
	e.share()
	return &sharing{engine: e, least: event.NoVersion}
}

func (s *sharing) Turn(context.Context) {}

func (s *sharing) LeastVersion(string) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.least
}

func (s *sharing) Recent(_ string, from int64) (events []event.Envelope) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.recent {
		if e.Version == from+int64(len(events)) {
			events = append(events, e)
		}
	}
	return events
}

// see has it notice the stream's events from version from up to the one before
// until, and that the stream has come to version least.
func (s *sharing) see(t *testing.T, from, until, least int64) {
	t.Helper()
	all, err := s.Engine.ReadStream(t.Context(), "p", from, int(until-from))
	require.NoError(t, err)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.recent, s.least = all, least
}

// What others are known to have written is decided on at the first attempt, and
// only read where it is not at hand.
func TestRepository_KnowsOfOthers(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		from, until, least int64 // what is at hand, and known
		attempts, reads    int
	}{
		"Nothing":      {0, 0, 0, 2, 3},
		"OnlyThat":     {0, 0, 3, 1, 3},
		"AllOfIt":      {1, 4, 3, 1, 0},
		"TheBeginning": {1, 3, 3, 1, 1},
		"TheEnd":       {2, 4, 3, 1, 3},
		"NotTheLast":   {1, 3, 2, 2, 1}, // two events, and nothing known of the third
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSharing()
			mine := start(t, s, aggregate.Config{})
			mine.do(t, putIn(1))
			others := start(t, s.engine, aggregate.Config{}) // not with s: it knows of nobody
			for range 3 {
				others.do(t, putIn(10))
			}
			s.see(t, c.from, c.until, c.least)
			s.engine.mu.Lock()
			s.reads = 0
			s.engine.mu.Unlock()
			attempts := 0
			s.onAppend(func(next eventstore.Engine, ctx context.Context, first int64, group []eventstore.Commit) ([]eventstore.Outcome, error) {
				out, err := next.Append(ctx, first, group)
				if len(out) > 0 && out[0].State != eventstore.NotTried { // else it was but the place
					attempts++
				}
				return out, err
			})
			mine.do(t, takeOut(31))
			require.Equal(t, c.attempts, attempts)
			s.engine.mu.Lock()
			require.Equal(t, c.reads, s.reads)
			s.engine.mu.Unlock()
			coins, version := mine.coins(t)
			require.Zero(t, coins)
			require.Equal(t, int64(4), version)
		})
	}
}
