package notify_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"passbook/bank/notify"
	"passbook/es/bus"
)

func TestStart_AtTheEndOfTheFeed(t *testing.T) { onEngines(t, testStartAtTheEndOfTheFeed) }

func testStartAtTheEndOfTheFeed(t *testing.T, newScene func(testing.TB) *scene) {
	h := newHistory().before()
	for i := range 200 { // more than one look at each partition
		id := fmt.Sprint("a", i%7)
		if i < 7 {
			h.open(id, "+49 170 1")
		} else {
			h.deposit(id, "1.00 EUR")
		}
	}
	s := newScene(t)
	channels := []notify.Channel{&fakeChannel{name: "sms", address: phone}}
	feed := newTopic("t1", h)
	s.record(feed, channels)
	require.Empty(t, s.recorded())
	require.Equal(t, []string{"200"}, s.rows(`SELECT start_position FROM notify_state`))
	require.Len(t, s.rows(`SELECT event_id FROM notify_event`), 200, "it is read from the beginning all the same")

	h.since().deposit("a3", "1.00 EUR")
	s.record(newTopic("t1", h), channels)
	require.Equal(t, []string{"a3/29 sms"}, s.recorded(), "the contact is from before")
}

// The service is up moments after its tables are made; what happens between the
// two is notified.
func TestStart_WhileItStarts(t *testing.T) { onEngines(t, testStartWhileItStarts) }

func testStartWhileItStarts(t *testing.T, newScene func(testing.TB) *scene) {
	h := newHistory().before()
	h.open("a")
	h.since().deposit("a", "1.00 EUR")
	for range 200 { // more than the first look at the partition's end shows
		h.deposit("a", "1.00 EUR")
	}
	s := newScene(t)
	s.record(newTopic("t1", h), named("log"))
	require.Equal(t, []string{"1"}, s.rows(`SELECT start_position FROM notify_state`))
	require.Len(t, s.recorded(), 201)
	require.NotContains(t, s.recorded(), "a/0 log")
}

// Broker and notification DB were deleted, and the relay publishes all of history
// to a topic that was empty when it was first looked at.
func TestStart_FeedIsYounger(t *testing.T) { onEngines(t, testStartFeedIsYounger) }

func testStartFeedIsYounger(t *testing.T, newScene func(testing.TB) *scene) {
	s, h := newScene(t), newHistory()
	s.record(newTopic("t1", h), named("log"))
	require.Equal(t, []string{"0"}, s.rows(`SELECT start_position FROM notify_state`))
	h.before().open("a")
	h.since().deposit("a", "1.00 EUR")
	s.record(newTopic("t2", h), named("log"))
	require.Equal(t, []string{"a/1 log"}, s.recorded())
}

// A clock that was wrong once gave an account's events times of the future.
func TestStart_TimesOfTheFuture(t *testing.T) { onEngines(t, testStartTimesOfTheFuture) }

func testStartTimesOfTheFuture(t *testing.T, newScene func(testing.TB) *scene) {
	h := newHistory() // of the future
	h.open("a")
	h.before()
	for i := range 200 {
		h.open(fmt.Sprint("b", i))
	}
	s := newScene(t)
	s.record(newTopic("t1", h), named("log"))
	require.Empty(t, s.recorded())
}

func TestStart_FromBeginning(t *testing.T) { onEngines(t, testStartFromBeginning) }

func testStartFromBeginning(t *testing.T, newScene func(testing.TB) *scene) {
	h := newHistory().before()
	h.open("a")
	s := newScene(t)
	fromBeginning := func(c *notify.Config) { c.FromBeginning = true }
	s.record(newTopic("t1", h), named("log"), fromBeginning)
	require.Equal(t, []string{"a/0 log"}, s.recorded())

	other := newScene(t)
	other.record(newTopic("t1", h), named("log"))
	other.record(newTopic("t2", h), named("log"), fromBeginning)
	require.Empty(t, other.recorded(), "a database that has begun goes on")
}

// unreachable is a feed that cannot be looked into.
type unreachable struct{ *memoryBus }

func (unreachable) Bounds(context.Context, bus.Topic) ([]bus.Bounds, error) {
	return nil, errors.New("broker is gone")
}

// Nothing is read before it is known from where on to notify.
func TestStart_IsKnownFirst(t *testing.T) { onEngines(t, testStartIsKnownFirst) }

func testStartIsKnownFirst(t *testing.T, newScene func(testing.TB) *scene) {
	s, h := newScene(t), newHistory().before()
	h.open("a")
	feed := newTopic("t1", h)
	service := s.service(feed, named("log"), func(c *notify.Config) { c.Feed = unreachable{feed} })
	require.ErrorContains(t, service.Ready(t.Context()), "the feed has not been reached yet")
	require.ErrorContains(t, service.Run(t.Context()), "broker is gone")
	require.Empty(t, s.rows(`SELECT event_id FROM notify_event`))
	require.ErrorContains(t, notify.Apply(s.store, s.dialect, named("log"), h.events...), "not been reached")

	again := s.service(newTopic("t1", h), named("log"))
	require.Error(t, again.Ready(t.Context()))
	stop := start(t, again.Run)
	require.Eventually(t, func() bool { return again.Ready(t.Context()) == nil }, waitMax, poll)
	stop()
	require.NoError(t, s.service(newTopic("t1", h), named("log")).Ready(t.Context()), "also before it runs")
}

func TestReady_DatabaseIsGone(t *testing.T) { onEngines(t, testReadyDatabaseIsGone) }

func testReadyDatabaseIsGone(t *testing.T, newScene func(testing.TB) *scene) {
	s := newScene(t)
	service := s.service(newTopic("t1", newHistory()), named("log"))
	require.NoError(t, s.store.Close())
	require.EqualError(t, service.Ready(t.Context()), "the notification DB does not answer")
}
