package aggregate_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"passbook/es/aggregate"
	"passbook/es/event"
	"passbook/es/eventstore"
)

func TestRepository_Execute(t *testing.T) {
	t.Parallel()

	t.Run("OK", func(t *testing.T) {
		t.Parallel()
		p := start(t, newEngine(), aggregate.Config{})
		require.Equal(t, aggregate.Outcome{Stream: "p", Version: 0, Position: 1}, p.do(t, putIn(5)))
		require.Equal(t, aggregate.Outcome{Stream: "p", Version: 1, Position: 2}, p.do(t, takeOut(2)))
		coins, version := p.coins(t)
		require.Equal(t, 3, coins)
		require.Equal(t, int64(1), version)
	})

	t.Run("Refusal", func(t *testing.T) {
		t.Parallel()
		p := start(t, newEngine(), aggregate.Config{})
		_, err := p.Execute(t.Context(), aggregate.Request[purse]{Stream: "p", Decide: takeOut(1)})
		require.ErrorIs(t, err, errTooFew)
		_, version := p.coins(t)
		require.Equal(t, event.NoVersion, version)
	})

	t.Run("NothingToDo", func(t *testing.T) {
		t.Parallel()
		p := start(t, newEngine(), aggregate.Config{})
		p.do(t, putIn(5))
		require.Equal(t, aggregate.Outcome{Stream: "p", Version: 0}, p.do(t, func(purse) ([]any, error) { return nil, nil }))
	})

	t.Run("SeveralEvents", func(t *testing.T) {
		t.Parallel()
		p := start(t, newEngine(), aggregate.Config{})
		outcome := p.do(t, func(purse) ([]any, error) { return []any{put{5}, taken{1}, taken{1}}, nil })
		require.Equal(t, aggregate.Outcome{Stream: "p", Version: 2, Position: 3}, outcome)
	})

	t.Run("Metadata", func(t *testing.T) {
		t.Parallel()
		p := start(t, newEngine(), aggregate.Config{})
		metadata := event.Metadata{CorrelationID: "c", CausationID: "d", Actor: "a"}
		_, err := p.Execute(t.Context(), aggregate.Request[purse]{Stream: "p", Decide: putIn(1), Metadata: metadata})
		require.NoError(t, err)
		for envelope, err := range p.store.ReadStream(t.Context(), "p", 0) {
			require.NoError(t, err)
			require.Equal(t, metadata, envelope.Metadata)
			require.Equal(t, "purse", envelope.Category)
		}
	})

	t.Run("UndefinedPayload", func(t *testing.T) {
		t.Parallel()
		p := start(t, newEngine(), aggregate.Config{})
		_, err := p.Execute(t.Context(), aggregate.Request[purse]{Stream: "p", Decide: func(purse) ([]any, error) { return []any{7}, nil }})
		require.ErrorIs(t, err, eventstore.ErrInvalid)
	})

	t.Run("UnreadableHistory", func(t *testing.T) {
		t.Parallel()
		p := start(t, newEngine(), aggregate.Config{})
		_, err := p.store.Append(t.Context(), eventstore.Commit{Stream: "p", Expected: event.NoVersion, Events: []event.Envelope{{
			ID: event.NewID(), Type: event.Type{Name: "purse.put", Schema: 2}, Time: event.Truncate(time.Now()), Data: []byte(`{}`),
		}}})
		require.NoError(t, err)
		_, err = p.Execute(t.Context(), aggregate.Request[purse]{Stream: "p", Decide: putIn(1)})
		require.ErrorIs(t, err, event.ErrUnknownType)
	})
}

func TestRepository_ExpectedVersion(t *testing.T) {
	t.Parallel()
	p := start(t, newEngine(), aggregate.Config{})
	p.do(t, putIn(5))
	for expected, want := range map[int64]bool{-1: false, 0: true, 7: false} {
		_, err := p.Execute(t.Context(), aggregate.Request[purse]{
			Stream: "p", Expected: &expected, Decide: func(purse) ([]any, error) { return nil, nil },
		})
		if want {
			require.NoError(t, err)
			continue
		}
		var mismatch *aggregate.VersionError
		require.ErrorAs(t, err, &mismatch)
		require.ErrorIs(t, err, aggregate.ErrVersionMismatch)
		require.Equal(t, aggregate.VersionError{Stream: "p", Expected: expected, Actual: 0}, *mismatch)
	}
}

// No event's time is before that of the event before it, whatever the clock does.
func TestRepository_Time(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	clock := []time.Time{noon, noon.Add(-time.Hour), noon.Add(1500 * time.Nanosecond)}
	e := newEngine()
	p := start(t, e, aggregate.Config{Now: func() time.Time {
		now := clock[0]
		clock = clock[1:]
		return now
	}})
	for range 3 {
		p.do(t, putIn(1))
	}
	page, err := e.Engine.ReadStream(t.Context(), "p", 0, 10)
	require.NoError(t, err)
	require.Equal(t, []time.Time{noon, noon, noon.Add(time.Microsecond)}, []time.Time{page[0].Time, page[1].Time, page[2].Time})

	earlier := func() time.Time { return noon.Add(-time.Hour) }
	again := start(t, e, aggregate.Config{Now: earlier}) // the time is known after a restart, too
	again.do(t, putIn(1))
	page, err = e.Engine.ReadStream(t.Context(), "p", 3, 10)
	require.NoError(t, err)
	require.Equal(t, noon.Add(time.Microsecond), page[0].Time)
}

func TestRepository_HotStream(t *testing.T) {
	t.Parallel()
	e := newEngine()
	p := start(t, e, aggregate.Config{SnapshotEvery: 7})
	p.do(t, putIn(100))
	var wg sync.WaitGroup
	refused := make(chan error, 32*20)
	for range 32 {
		wg.Go(func() {
			for range 20 {
				_, err := p.Execute(t.Context(), aggregate.Request[purse]{Stream: "p", Decide: takeOut(1)})
				if err != nil {
					refused <- err
				}
			}
		})
	}
	wg.Wait()
	close(refused)
	n := 0
	for err := range refused {
		require.ErrorIs(t, err, errTooFew)
		n++
	}
	require.Equal(t, 32*20-100, n)
	coins, version := p.coins(t)
	require.Zero(t, coins)
	require.Equal(t, int64(100), version)
}

// Commands on one stream are decided on top of events that are in flight, go
// to the disk together, and none is answered before it is there.
func TestRepository_DecidesOnTopOfWhatIsInFlight(t *testing.T) {
	t.Parallel()
	e := newEngine()
	p := start(t, e, aggregate.Config{})
	p.do(t, putIn(10))
	entered, release := e.hold()
	defer release()

	first := p.begin(t.Context(), aggregate.Request[purse]{Stream: "p", Decide: takeOut(6)})
	<-entered
	decide, asked := decided(takeOut(4))
	second := p.begin(t.Context(), aggregate.Request[purse]{Stream: "p", Decide: decide})
	<-asked
	refusal, asked := decided(takeOut(1))
	third := p.begin(t.Context(), aggregate.Request[purse]{Stream: "p", Decide: refusal})
	<-asked // it has been decided, on what both others leave
	select {
	case <-first:
		t.Fatal("answered before it was durable")
	case <-second:
		t.Fatal("answered before it was durable")
	case <-third:
		t.Fatal("refused on a state that is not durable")
	default:
	}
	release()
	require.NoError(t, (<-first).err)
	require.NoError(t, (<-second).err)
	require.ErrorIs(t, (<-third).err, errTooFew)
}

// A refusal that rests on events which then do not become durable is no answer:
// the state that it was given on never was.
func TestRefusalOnAStateThatNeverWas(t *testing.T) {
	t.Parallel()
	e := newEngine()
	p := start(t, e, aggregate.Config{})
	p.do(t, putIn(10))

	entered, fail := make(chan struct{}), make(chan struct{})
	e.onAppend(func(eventstore.Engine, context.Context, int64, []eventstore.Commit) ([]eventstore.Outcome, error) {
		entered <- struct{}{}
		<-fail
		e.onAppend(nil)
		return nil, fmt.Errorf("%w: no disk", eventstore.ErrNotWritten)
	})
	all := p.begin(t.Context(), aggregate.Request[purse]{Stream: "p", Decide: takeOut(10)})
	<-entered
	decide, asked := decided(takeOut(1))
	one := p.begin(t.Context(), aggregate.Request[purse]{Stream: "p", Decide: decide})
	<-asked
	close(fail)
	require.ErrorIs(t, (<-all).err, eventstore.ErrUnavailable)
	require.NoError(t, (<-one).err, "there are ten coins")
	coins, _ := p.coins(t)
	require.Equal(t, 9, coins)
}

// Two processes, one store: what loses against the other is decided again, and
// takes along what was decided on it.
func TestOverdraftByLostPredecessor(t *testing.T) {
	t.Parallel()
	e := newEngine()
	e.shared = true
	here, there := start(t, e, aggregate.Config{}), start(t, e.Engine, aggregate.Config{})
	here.do(t, putIn(10))

	entered, release := e.hold()
	defer release()
	w1 := here.begin(t.Context(), aggregate.Request[purse]{Stream: "p", Decide: takeOut(1)}) // leaves 9
	<-entered
	decide, asked := decided(takeOut(9))
	w2 := here.begin(t.Context(), aggregate.Request[purse]{Stream: "p", Decide: decide}) // on top of it: leaves 0
	<-asked
	there.do(t, takeOut(5)) // takes w1's version; w2's is still free
	release()

	require.NoError(t, (<-w1).err)
	require.ErrorIs(t, (<-w2).err, errTooFew)
	coins, version := here.coins(t)
	require.Equal(t, 4, coins)
	require.Equal(t, int64(2), version)
}

// The same, but the second is still being decided when the first is lost: what
// it is decided on is gone before it is submitted.
func TestOverdraftByPredecessorLostMeanwhile(t *testing.T) {
	t.Parallel()
	e := newEngine()
	e.shared = true
	here, there := start(t, e, aggregate.Config{}), start(t, e.Engine, aggregate.Config{})
	here.do(t, putIn(10))

	entered, release := e.hold()
	defer release()
	w1 := here.begin(t.Context(), aggregate.Request[purse]{Stream: "p", Decide: takeOut(1)})
	<-entered
	deciding, decide := make(chan struct{}), make(chan struct{})
	w2 := here.begin(t.Context(), aggregate.Request[purse]{Stream: "p", Decide: func(p purse) ([]any, error) {
		select {
		case deciding <- struct{}{}:
			<-decide // with the state that it has seen
		default:
		}
		return takeOut(9)(p)
	}})
	<-deciding
	there.do(t, takeOut(5))
	release()
	require.Eventually(t, func() bool { return here.store.Stats().Groups >= 2 && here.store.Stats().Waiting == 0 }, time.Minute, time.Millisecond)
	_, err := here.store.Append(t.Context(), eventstore.Commit{Stream: "other", Expected: event.NoVersion})
	require.NoError(t, err) // behind w1 in the queue, so w1's first try is lost by now
	close(decide)

	require.NoError(t, (<-w1).err)
	require.ErrorIs(t, (<-w2).err, errTooFew)
	coins, _ := here.coins(t)
	require.Equal(t, 4, coins)
}

// With several writers a refusal is confirmed: another process may have changed
// what it rests on.
func TestRepository_ConfirmsRefusals(t *testing.T) {
	t.Parallel()
	e := newEngine()
	e.shared = true
	here, there := start(t, e, aggregate.Config{}), start(t, e, aggregate.Config{})
	here.do(t, putIn(1))
	there.do(t, putIn(9))
	here.do(t, takeOut(10)) // here it still looks like one coin

	there.do(t, putIn(1))
	zero := int64(0)
	_, err := here.Execute(t.Context(), aggregate.Request[purse]{Stream: "p", Expected: &zero, Decide: putIn(1)})
	var mismatch *aggregate.VersionError
	require.ErrorAs(t, err, &mismatch)
	require.Equal(t, int64(3), mismatch.Actual)
}

func TestRepository_GivesUpAfterConflicts(t *testing.T) {
	t.Parallel()
	e := newEngine()
	p := start(t, e, aggregate.Config{AttemptsMax: 3})
	tries := 0
	e.onAppend(func(_ eventstore.Engine, _ context.Context, _ int64, group []eventstore.Commit) ([]eventstore.Outcome, error) {
		tries++
		return []eventstore.Outcome{{State: eventstore.Conflict, Actual: group[0].Expected + 1}}, nil
	})
	_, err := p.Execute(t.Context(), aggregate.Request[purse]{Stream: "p", Decide: putIn(1)})
	var conflict *eventstore.ConflictError
	require.ErrorAs(t, err, &conflict)
	require.Equal(t, eventstore.ConflictError{Stream: "p", Expected: -1, Actual: 0}, *conflict)
	require.Equal(t, 3, tries)
}

func TestRepository_Unavailable(t *testing.T) {
	t.Parallel()

	t.Run("Append", func(t *testing.T) {
		t.Parallel()
		e := newEngine()
		p := start(t, e, aggregate.Config{})
		p.do(t, putIn(1))
		e.onAppend(func(eventstore.Engine, context.Context, int64, []eventstore.Commit) ([]eventstore.Outcome, error) {
			return nil, fmt.Errorf("%w: no disk", eventstore.ErrNotWritten)
		})
		_, err := p.Execute(t.Context(), aggregate.Request[purse]{Stream: "p", Decide: putIn(1)})
		require.ErrorIs(t, err, eventstore.ErrUnavailable)
		e.onAppend(nil)
		p.do(t, putIn(1))
		coins, _ := p.coins(t)
		require.Equal(t, 2, coins)
	})

	t.Run("RefusalThatCannotBeConfirmed", func(t *testing.T) {
		t.Parallel()
		e := newEngine()
		e.shared = true
		p := start(t, e, aggregate.Config{})
		p.do(t, putIn(1))
		e.onAppend(func(eventstore.Engine, context.Context, int64, []eventstore.Commit) ([]eventstore.Outcome, error) {
			return nil, fmt.Errorf("%w: no network", eventstore.ErrNotWritten)
		})
		_, err := p.Execute(t.Context(), aggregate.Request[purse]{Stream: "p", Decide: takeOut(7)})
		require.ErrorIs(t, err, eventstore.ErrUnavailable)
		require.NotErrorIs(t, err, eventstore.ErrConflict)
	})

	t.Run("Read", func(t *testing.T) {
		t.Parallel()
		p := start(t, broken{newEngine()}, aggregate.Config{})
		_, err := p.Execute(t.Context(), aggregate.Request[purse]{Stream: "p", Decide: putIn(1)})
		require.ErrorIs(t, err, eventstore.ErrUnavailable)
		_, err = p.Execute(t.Context(), aggregate.Request[purse]{Stream: "p", Decide: putIn(1), Key: event.Key{Value: "k"}})
		require.ErrorIs(t, err, eventstore.ErrUnavailable)
		_, _, err = p.Load(t.Context(), "p", -1)
		require.ErrorIs(t, err, eventstore.ErrUnavailable)
	})

	t.Run("CallerGone", func(t *testing.T) {
		t.Parallel()
		e := newEngine()
		p := start(t, e, aggregate.Config{})
		entered, release := e.hold()
		defer release()
		ctx, cancel := context.WithCancel(t.Context())
		done := p.begin(ctx, aggregate.Request[purse]{Stream: "p", Decide: putIn(1)})
		<-entered
		decide, asked := decided(takeOut(7))
		refused := p.begin(ctx, aggregate.Request[purse]{Stream: "p", Decide: decide})
		<-asked
		cancel()
		require.ErrorIs(t, (<-done).err, eventstore.ErrOutcomeUnknown)
		err := (<-refused).err
		require.ErrorIs(t, err, eventstore.ErrUnavailable, "it has written nothing, so nothing is unknown")
		require.NotErrorIs(t, err, eventstore.ErrOutcomeUnknown)
	})
}

// broken is an engine that cannot be read.
type broken struct{ *engine }

func (broken) ReadStream(context.Context, string, int64, int) ([]event.Envelope, error) {
	return nil, errors.New("no disk")
}

func (broken) FindKey(context.Context, event.Key) (eventstore.KeyRecord, error) {
	return eventstore.KeyRecord{}, errors.New("no disk")
}

func TestRepository_Load(t *testing.T) {
	t.Parallel()
	p := start(t, newEngine(), aggregate.Config{})
	for i := range 5 {
		p.do(t, putIn(i+1))
	}
	for through, want := range map[int64]int{0: 1, 2: 6, 4: 15, 9: 15, -1: 15} {
		state, version, err := p.Load(t.Context(), "p", through)
		require.NoError(t, err)
		require.Equal(t, want, state.Coins)
		if through >= 0 {
			require.Equal(t, min(through, 4), version)
		}
	}
	state, version, err := p.Load(t.Context(), "nobody", -1)
	require.NoError(t, err)
	require.Equal(t, event.NoVersion, version)
	require.Equal(t, purse{}, state)
}
