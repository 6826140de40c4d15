package mongodb_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"passbook/engine/mongodb"
	"passbook/es/eventstore"
)

// doubtScene is a store that is reached through a proxy, and once directly.
type doubtScene struct {
	*testing.T
	*proxy
	through, direct *mongodb.EventStore
}

func newDoubtScene(t *testing.T) *doubtScene {
	t.Helper()
	r := newRoom(t)
	s := &doubtScene{T: t, direct: r.open(t)}
	var hello struct {
		Primary string `bson:"primary"`
	}
	require.NoError(t, r.bare(t).RunCommand(t.Context(), bson.D{{Key: "hello", Value: 1}}).Decode(&hello))
	var url string
	s.proxy, url = newProxy(t, r, hello.Primary)
	store, err := mongodb.OpenEventStore(t.Context(), url)
	require.NoError(t, err)
	s.through = store
	t.Cleanup(func() { _ = store.Close() }) // its connections may be cut
	return s
}

// lost appends a group whose attempt ends without an answer.
func (s *doubtScene) lost(first int64, group ...eventstore.Commit) {
	s.Helper()
	err := s.mayBeLost(first, group)
	require.Error(s, err)
	require.NotErrorIs(s, err, eventstore.ErrNotWritten, "nobody can know that")
}

// mayBeLost appends a group, and gives up when the proxy has caught a command.
func (s *doubtScene) mayBeLost(first int64, group []eventstore.Commit) error {
	s.Helper()
	for len(s.caught) > 0 { // of an attempt before
		<-s.caught
	}
	ctx, cancel := context.WithCancel(s.Context())
	defer cancel()
	go func() {
		select {
		case <-s.caught:
		case <-ctx.Done():
		}
		cancel()
	}()
	_, err := s.through.Append(ctx, first, group)
	return err
}

func (s *doubtScene) head() int64 {
	s.Helper()
	head, err := s.direct.Head(s.Context())
	require.NoError(s, err)
	return head
}

// kinds are a group that goes as an insert and one that goes as a transaction,
// with the command whose arrival is the doubtful one.
func kinds() map[string]struct {
	command string
	group   func() []eventstore.Commit
} {
	return map[string]struct {
		command string
		group   func() []eventstore.Commit
	}{
		"insert": {"insert", func() []eventstore.Commit { return []eventstore.Commit{opening("a", 1), opening("b", 1)} }},
		"commit": {"commitTransaction", func() []eventstore.Commit { return []eventstore.Commit{opening("a", 2), opening("b", 1)} }},
	}
}

// TestDoubt_Arrived: the write arrived, its answer did not.
func TestDoubt_Arrived(t *testing.T) {
	t.Parallel()
	for name, kind := range kinds() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, group := newDoubtScene(t), kind.group()
			s.holdAnswers(kind.command)
			s.lost(1, group...)
			s.pass()
			require.Eventually(t, func() bool { return s.head() > 0 }, time.Minute, time.Millisecond)
			mustAppend(t, s.through, 1, group...)
			require.Len(t, readAll(t, s.direct), len(group[0].Events)+1)
		})
	}
}

// TestDoubt_ArrivesLate: one has looked, and seen nothing; the write arrives all
// the same. The same group at the same place is there once.
func TestDoubt_ArrivesLate(t *testing.T) {
	t.Parallel()
	for name, kind := range kinds() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, group := newDoubtScene(t), kind.group()
			s.holdRequests(kind.command)
			s.lost(1, group...)
			s.pass()
			require.Zero(t, s.head(), "nothing is to be seen")
			mustAppend(t, s.through, 1, group...)
			before := readAll(t, s.direct)
			s.release()
			require.Equal(t, before, readAll(t, s.direct), "it arrived a second time")
			mustAppend(t, s.through, int64(len(before)+1), opening("c", 1))
		})
	}
}

// TestDoubt_ArrivesBetween: it arrives after the look and before the repeat.
func TestDoubt_ArrivesBetween(t *testing.T) {
	t.Parallel()
	s, group := newDoubtScene(t), kinds()["insert"].group()
	s.holdRequests("insert")
	s.lost(1, group...)
	s.pass()
	require.Zero(t, s.head())
	s.release()
	mustAppend(t, s.through, 1, group...)
	require.Len(t, readAll(t, s.direct), 2)
}

// TestDoubt_PlaceTaken: the position is the fence. Once another stands there, the
// late write leaves nothing.
func TestDoubt_PlaceTaken(t *testing.T) {
	t.Parallel()
	s, group := newDoubtScene(t), kinds()["insert"].group()
	s.holdRequests("insert")
	s.lost(1, group...)
	s.pass()
	other := opening("other", 1)
	mustAppend(t, s.direct, 1, other)
	outcomes, err := s.through.Append(t.Context(), 1, group)
	require.NoError(t, err)
	require.Equal(t, eventstore.NotTried, outcomes[0].State)
	s.release()
	require.Len(t, readAll(t, s.direct), 1)
	mustAppend(t, s.through, 2, group...)
}

// TestDoubt_Unreachable: while the server is away, every further attempt is known
// to have written nothing.
func TestDoubt_Unreachable(t *testing.T) {
	t.Parallel()
	s, group := newDoubtScene(t), kinds()["insert"].group()
	s.holdRequests("insert")
	s.lost(1, group...)
	s.holdRequests("find")
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err := s.through.Append(ctx, 1, group)
	require.ErrorIs(t, err, eventstore.ErrNotWritten)
	require.Zero(t, s.head())
}

// TestOrphan_Freed: a writer dies between insert and commit. The others do not
// wait for the minute that the server would.
func TestOrphan_Freed(t *testing.T) {
	t.Parallel()
	for name, group := range map[string][]eventstore.Commit{
		"insert": {opening("a", 1)}, "transaction": {opening("a", 2)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newDoubtScene(t)
			ctx, die := context.WithCancel(t.Context())
			dead := make(chan error, 1)
			s.holdRequests("commitTransaction")
			go func() {
				_, err := s.through.Append(ctx, 1, []eventstore.Commit{opening("dead", 2)})
				dead <- err
			}()
			<-s.caught // the insert was answered, the transaction holds position 1
			die()
			require.Error(t, <-dead)
			s.holdRequests("find") // nothing that it does now can help

			limited, cancel := context.WithTimeout(t.Context(), 40*time.Second)
			defer cancel()
			for {
				outcomes, err := s.direct.Append(limited, 1, group)
				if err == nil && outcomes[0].State == eventstore.Written {
					break
				}
				require.False(t, err != nil && !errors.Is(err, eventstore.ErrNotWritten), "%v", err)
				require.NoError(t, limited.Err(), "position 1 was not freed")
			}
			s.release() // the commit comes too late
			require.Len(t, readAll(t, s.direct), len(group[0].Events))
		})
	}
}
