package notify_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"passbook/bank/notify"
)

// sendings remembers what a channel was given.
type sendings struct {
	mu    sync.Mutex
	tries []try
}

type try struct {
	event, id string
	at        time.Time
}

func (s *sendings) add(n notify.Notification) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tries = append(s.tries, try{event: n.EventID, id: n.ID, at: time.Now()})
}

func (s *sendings) all() []try {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]try(nil), s.tries...)
}

// count is for those that are too many to be shown.
func (s *sendings) count() int { return len(s.all()) }

func (s *sendings) events() (ids []string) {
	for _, one := range s.all() {
		ids = append(ids, one.event)
	}
	return ids
}

// channel is one that remembers, and then does what send says.
func (s *sendings) channel(name string, send func(ctx context.Context, n notify.Notification) error) notify.Channel {
	return &fakeChannel{name: name, send: func(ctx context.Context, n notify.Notification) error {
		s.add(n)
		if send == nil {
			return nil
		}
		return send(ctx, n)
	}}
}

func hang(ctx context.Context, _ notify.Notification) error {
	<-ctx.Done()
	return ctx.Err()
}

// recorded is by when everything in a short feed is recorded, and before anything is
// tried again.
const recorded = 400 * time.Millisecond

func fail(context.Context, notify.Notification) error { return errors.New("it answered 500") }

// inBubble runs a test on a clock of its own, on which days cost nothing. The
// database's clock is that one too.
func inBubble(t *testing.T, channels []notify.Channel, h *history, test func(s *scene, feed *memoryBus)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t)
		feed := newTopic("t1", h)
		service := s.service(feed, channels, func(c *notify.Config) { c.FromBeginning = true })
		service.SetClock(time.Now)
		stop := start(t, service.Run)
		test(s, feed)
		stop()
	})
}

func TestSender_DeadChannelsDelayNobody(t *testing.T) {
	var dead, broken, alive sendings
	h := newHistory()
	for i := range 50 {
		h.open(fmt.Sprint("a", i))
	}
	h.deposit("a0", "1.00 EUR")
	channels := []notify.Channel{dead.channel("dead", hang), broken.channel("broken", fail), alive.channel("alive", nil)}
	inBubble(t, channels, h, func(s *scene, _ *memoryBus) {
		<-time.After(recorded)
		synctest.Wait()
		require.Len(t, alive.all(), 51, "before any of the others is tried again")
		require.Equal(t, []string{"51"}, s.rows(`SELECT count(*) FROM notification WHERE state = 'sent' AND channel = 'alive'`))
		require.Len(t, dead.all(), 16, "as many as are sent at once")
		require.Len(t, broken.all(), 50, "of each account the first")
		<-time.After(time.Minute)
		synctest.Wait()
		require.Len(t, alive.all(), 51)
		require.Greater(t, len(broken.all()), 200)
		require.NotContains(t, broken.events(), "a0/1", "accounts keep their order")
		require.Len(t, s.rows(`SELECT DISTINCT event_id FROM notification WHERE channel = 'dead' AND attempts > 0`), 50,
			"those that hang are left after a while")
	})
}

// One account's notifications come in its order, each once the one before has
// been sent, however often that takes.
func TestSender_KeepsAnAccountsOrder(t *testing.T) {
	var tried sendings
	failures := 3
	h := newHistory()
	h.open("a")
	for range 40 {
		h.deposit("a", "1.00 EUR")
	}
	flaky := tried.channel("flaky", func(context.Context, notify.Notification) error {
		if len(tried.all())%4 == 2 && failures > 0 {
			failures--
			return errors.New("not now")
		}
		return nil
	})
	inBubble(t, []notify.Channel{flaky}, h, func(s *scene, _ *memoryBus) {
		<-time.After(time.Minute)
		synctest.Wait()
		var order []string
		for _, event := range tried.events() {
			if len(order) == 0 || order[len(order)-1] != event {
				order = append(order, event)
			}
		}
		require.Len(t, tried.all(), 44, "with three repeats")
		var want []string
		for v := range 41 {
			want = append(want, fmt.Sprint("a/", v))
		}
		require.Equal(t, want, order)
		require.Equal(t, []string{"sent|41|44"}, s.rows(`SELECT state, count(*), sum(attempts) FROM notification GROUP BY state`))
		require.Empty(t, s.rows(`SELECT account_id FROM notify_lane`))
		require.Equal(t, []string{"0"}, s.rows(`SELECT count(*) FROM notification WHERE error <> ''`))
	})
}

// A channel that never works: pauses grow, the id stays, and after a day the
// first is given up, so that the next gets its turn.
func TestSender_GivesUpAfterADay(t *testing.T) {
	var tried sendings
	h := newHistory()
	h.open("a")
	h.deposit("a", "1.00 EUR")
	inBubble(t, []notify.Channel{tried.channel("dead", fail)}, h, func(s *scene, feed *memoryBus) {
		began := time.Now()
		<-time.After(24*time.Hour - time.Minute)
		synctest.Wait()
		require.Equal(t, []string{"a/0|pending|it answered 500", "a/1|pending|"},
			s.rows(`SELECT event_id, state, error FROM notification ORDER BY seq`))
		first := tried.all()
		require.Greater(t, len(first), 100)
		require.Less(t, len(first), 210)
		for i, one := range first {
			require.Equal(t, first[0].id, one.id)
			if i > 0 {
				pause := one.at.Sub(first[i-1].at)
				require.GreaterOrEqual(t, pause, min(time.Second<<min(i-1, 20), 15*time.Minute)/2, "after attempt %d", i)
				require.LessOrEqual(t, pause, min(time.Second<<min(i-1, 20), 15*time.Minute)+pollMax, "after attempt %d", i)
			}
		}
		<-time.After(2 * time.Hour)
		synctest.Wait()
		require.Equal(t, []string{"a/0|failed|it answered 500", "a/1|failed|it answered 500"},
			s.rows(`SELECT event_id, state, error FROM notification ORDER BY seq`))
		require.Equal(t, []string{"5"}, s.rows(`SELECT attempts FROM notification WHERE event_id = 'a/1'`),
			"one that has waited for a day is tried a few times")
		require.Less(t, time.Since(began), 27*time.Hour)

		h.deposit("a", "1.00 EUR")
		feed.publish(h.events[2])
		<-time.After(time.Hour)
		synctest.Wait()
		require.Equal(t, []string{"pending"}, s.rows(`SELECT state FROM notification WHERE event_id = 'a/2'`))
	})
}

// pollMax is more than a sender waits before it looks again.
const pollMax = 2 * time.Second

func TestSender_RefusedIsGivenUpAtOnce(t *testing.T) {
	var tried sendings
	refuse := func(_ context.Context, n notify.Notification) error {
		if n.EventID == "a/0" {
			return fmt.Errorf("%w: no such\r\nmailbox", notify.ErrRefused)
		}
		return nil
	}
	h := newHistory()
	h.open("a")
	h.deposit("a", "1.00 EUR")
	inBubble(t, []notify.Channel{tried.channel("mail", refuse)}, h, func(s *scene, _ *memoryBus) {
		synctest.Wait()
		require.Equal(t, []string{"a/0|failed|1|refused: no such mailbox", "a/1|sent|1|"},
			s.rows(`SELECT event_id, state, attempts, error FROM notification ORDER BY seq`))
	})
}

// What a parked stream brings when it goes on is recorded without a word to the
// senders.
func TestSender_LooksByItself(t *testing.T) {
	var tried sendings
	inBubble(t, []notify.Channel{tried.channel("c", nil)}, newHistory(), func(s *scene, _ *memoryBus) {
		synctest.Wait()
		h := newHistory()
		h.open("a")
		require.NoError(t, notify.Apply(s.store, s.dialect, named("c"), h.events...))
		_, err := s.db.Exec(`UPDATE notify_lane SET due_us = 0`)
		require.NoError(t, err)
		<-time.After(10 * time.Second)
		synctest.Wait()
		require.Equal(t, []string{"a/0"}, tried.events())
	})
}

func TestPauseAfter(t *testing.T) {
	for attempts, longest := range map[int64]time.Duration{
		1: time.Second, 2: 2 * time.Second, 10: 512 * time.Second, 11: 15 * time.Minute, 64: 15 * time.Minute, 1 << 40: 15 * time.Minute,
	} {
		seen := make(map[time.Duration]bool)
		for range 100 {
			pause := notify.PauseAfter(attempts)
			require.GreaterOrEqual(t, pause, longest/2)
			require.Less(t, pause, longest)
			seen[pause] = true
		}
		require.Greater(t, len(seen), 50, "chance has a say")
	}
}

func TestErrorText(t *testing.T) {
	require.Equal(t, "a b ?c", notify.ErrorText(errors.New(" a\r\n\tb \xffc\x00 ")))
	long := notify.ErrorText(errors.New(string(make([]rune, 0)) + fmt.Sprint(make([]int, 1000))))
	require.LessOrEqual(t, len(long), 310)
}

// Attempts that run when the service stops are finished.
func TestSender_StopFinishesAttempts(t *testing.T) {
	var tried sendings
	release := make(chan struct{})
	begun := make(chan struct{})
	s, h := newScene(t), newHistory()
	h.open("a")
	h.deposit("a", "1.00 EUR")
	service := s.service(newTopic("t1", h), []notify.Channel{tried.channel("slow", func(ctx context.Context, _ notify.Notification) error {
		close(begun)
		select {
		case <-release:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	})})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- service.Run(ctx) }()
	<-begun
	cancel()
	close(release)
	require.NoError(t, <-ended)
	require.Equal(t, []string{"a/0|sent|1", "a/1|pending|0"}, s.rows(`SELECT event_id, state, attempts FROM notification ORDER BY seq`),
		"and no other is begun")
}

// Attempts that do not end are cut off, and made again at the next start, at once
// and with the same id.
func TestSender_StopCutsWhatHangs(t *testing.T) {
	var tried sendings
	h := newHistory()
	h.open("a")
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t)
		run := func(send func(context.Context, notify.Notification) error) (stop func()) {
			service := s.service(newTopic("t1", h), []notify.Channel{tried.channel("c", send)},
				func(c *notify.Config) { c.FromBeginning = true })
			service.SetClock(time.Now)
			return start(t, service.Run)
		}
		stop := run(hang)
		synctest.Wait()
		require.Len(t, tried.all(), 1)
		stopping := time.Now()
		stop()
		require.Equal(t, 2*time.Second, time.Since(stopping))
		require.Equal(t, []string{"pending|1|context canceled"}, s.rows(`SELECT state, attempts, error FROM notification`))
		stop = run(nil)
		synctest.Wait()
		require.Equal(t, []string{"sent|2|"}, s.rows(`SELECT state, attempts, error FROM notification`))
		require.Equal(t, tried.all()[0].id, tried.all()[1].id)
		stop()
	})
}

// However often it is started and stopped: everything is sent, and nothing runs on.
func TestService_StartStop(t *testing.T) { onEngines(t, testServiceStartStop) }

func testServiceStartStop(t *testing.T, newScene func(testing.TB) *scene) {
	var tried sendings
	s, h := newScene(t), newHistory()
	for i := range 40 {
		h.open(fmt.Sprint("a", i))
	}
	stops := make(chan struct{}, 1000)
	channels := []notify.Channel{tried.channel("c", func(context.Context, notify.Notification) error {
		stops <- struct{}{}
		return nil
	})}
	for round := range 20 {
		ctx, cancel := context.WithCancel(t.Context())
		if round == 0 {
			cancel()
		}
		ended := make(chan error, 1)
		service := s.service(newTopic("t1", h), channels)
		go func() { ended <- service.Run(ctx) }()
		if round%3 == 1 && len(s.rows(`SELECT id FROM notification WHERE state = 'sent'`)) < 20 {
			<-stops // in the middle of it
		}
		cancel()
		require.NoError(t, <-ended)
	}
	stop := start(t, s.service(newTopic("t1", h), channels).Run)
	s.eventually([]string{"sent|40"}, `SELECT state, count(*) FROM notification GROUP BY state`)
	stop()
	require.Len(t, slices.Compact(sorted(tried.events())), 40)
}

// suddenlySlow runs a service whose channel took 300 of 600 notifications at once,
// and then nothing any more.
func suddenlySlow(t *testing.T, test func(s *scene, tried *sendings, run func(notify.Channel) (stop func()), stop func())) {
	t.Helper()
	h := newHistory()
	for i := range 600 {
		h.open(fmt.Sprintf("a%03d", i))
	}
	synctest.Test(t, func(t *testing.T) {
		s, tried := newScene(t), &sendings{}
		var taken atomic.Int32
		run := func(channel notify.Channel) (stop func()) {
			service := s.service(newTopic("t1", newHistory()), []notify.Channel{channel}, func(c *notify.Config) { c.FromBeginning = true })
			service.SetClock(time.Now)
			service.SetAheadMax(256)
			return start(t, service.Run)
		}
		stop := run(tried.channel("c", func(ctx context.Context, n notify.Notification) error {
			if taken.Add(1) <= 300 {
				return nil
			}
			return hang(ctx, n)
		}))
		synctest.Wait()
		require.NoError(t, notify.Apply(s.store, s.dialect, named("c"), h.events...)) // all at once
		_, err := s.db.Exec(`UPDATE notify_lane SET due_us = 0`)
		require.NoError(t, err)
		<-time.After(5100 * time.Millisecond) // it looks every 5 s
		synctest.Wait()
		require.Equal(t, 316, tried.count())
		require.Equal(t, []string{"256"}, s.rows(claimedLanes), "as many as it took at once")
		test(s, tried, run, stop)
	})
}

const claimedLanes = `SELECT count(*) FROM notify_lane WHERE claim <> ''`

// What was claimed ahead of a channel that hangs is somebody else's after a
// moment.
func TestSender_GivesBackWhatItCannotBegin(t *testing.T) {
	suddenlySlow(t, func(s *scene, first *sendings, run func(notify.Channel) (stop func()), stop func()) {
		<-time.After(1100 * time.Millisecond)
		synctest.Wait()
		require.Equal(t, []string{"16"}, s.rows(claimedLanes), "those that are being sent")
		var second sendings
		stopSecond := run(second.channel("c", nil))
		<-time.After(100 * time.Millisecond)
		synctest.Wait()
		require.Equal(t, 600-316, second.count())
		<-time.After(20 * time.Second) // those that hang are left
		synctest.Wait()
		events := first.events()
		slices.Sort(events)
		distinct := len(slices.Compact(events))
		require.Equal(t, 316, distinct, "nothing that was given back is begun")
		stopSecond()
		stop()
	})
}

func TestSender_GivesBackWhenItStops(t *testing.T) {
	suddenlySlow(t, func(s *scene, tried *sendings, _ func(notify.Channel) (stop func()), stop func()) {
		stop()
		require.Equal(t, []string{"0"}, s.rows(claimedLanes))
		require.Equal(t, 316, tried.count())
		require.Equal(t, []string{"pending|300", "sent|300"}, s.rows(`SELECT state, count(*) FROM notification GROUP BY state ORDER BY state`))
	})
}
