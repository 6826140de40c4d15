package notify_test

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"passbook/bank/notify"
	"passbook/es/projection"
)

// mortal is the database as a process sees it that may die: from its death on,
// nothing of what the process does takes place.
type mortal struct {
	projection.Store[*sql.Tx]
	dead atomic.Bool
	// before and after, if set, are told of each transaction that may write,
	// before it begins and after it is committed.
	before, after func()
}

var errDead = errors.New("the process has died")

func (m *mortal) Update(ctx context.Context, fn func(tx *sql.Tx) error) error {
	if m.before != nil {
		m.before()
	}
	if m.dead.Load() {
		return errDead
	}
	if err := m.Store.Update(ctx, fn); err != nil {
		return err
	}
	if m.after != nil {
		m.after()
	}
	if m.dead.Load() {
		return errDead
	}
	return nil
}

func (m *mortal) View(ctx context.Context, fn func(tx *sql.Tx) error) error {
	if m.dead.Load() {
		return errDead
	}
	return m.Store.View(ctx, fn)
}

// crash runs a service on a database with one recorded notification, has it die
// where kill says, and then another one. It returns what was tried.
func crash(t *testing.T, kill func(m *mortal, tried *sendings) notify.Channel, between func(s *scene)) []try {
	t.Helper()
	var tried sendings
	h := newHistory()
	h.open("a")
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t)
		fromBeginning := func(c *notify.Config) { c.FromBeginning = true }
		m := &mortal{Store: s.store}
		first := s.service(newTopic("t1", h), []notify.Channel{kill(m, &tried)}, fromBeginning,
			func(c *notify.Config) { c.Store = m })
		first.SetClock(time.Now)
		stop := start(t, first.Run)
		synctest.Wait()
		require.True(t, m.dead.Load())
		stop()
		between(s)
		second := s.service(newTopic("t1", h), []notify.Channel{tried.channel("c", nil)}, fromBeginning)
		second.SetClock(time.Now)
		stop = start(t, second.Run)
		<-time.After(5 * time.Minute)
		synctest.Wait()
		stop()
		require.Equal(t, []string{"a/0|sent"}, s.rows(`SELECT event_id, state FROM notification`), "recorded once")
	})
	return tried.all()
}

// isClaimed tells whether an attempt is begun.
func (s *scene) isClaimed() bool {
	return len(s.rows(`SELECT id FROM notification WHERE attempts > 0`)) > 0
}

func TestCrash_BetweenClaimAndSend(t *testing.T) {
	tried := crash(t, func(m *mortal, tried *sendings) notify.Channel {
		m.after = func() {
			var attempts sql.NullInt64
			err := m.Store.View(context.Background(), func(tx *sql.Tx) error {
				return tx.QueryRow(`SELECT max(attempts) FROM notification`).Scan(&attempts)
			})
			if err != nil || attempts.Int64 > 0 {
				m.dead.Store(true) // the claim is committed, and nobody knows
			}
		}
		return tried.channel("c", nil)
	}, func(s *scene) {
		require.Equal(t, []string{"pending|1"}, s.rows(`SELECT state, attempts FROM notification`))
	})
	require.Len(t, tried, 1)
}

func TestCrash_BetweenSendAndOutcome(t *testing.T) {
	tried := crash(t, func(m *mortal, tried *sendings) notify.Channel {
		return tried.channel("c", func(context.Context, notify.Notification) error {
			m.dead.Store(true) // it is sent, and nobody will say so
			return nil
		})
	}, func(s *scene) {
		require.True(t, s.isClaimed())
		require.Equal(t, []string{"pending|1"}, s.rows(`SELECT state, attempts FROM notification`))
	})
	require.Len(t, tried, 2, "only here is it sent twice")
	require.Equal(t, tried[0].id, tried[1].id, "with the same id")
	require.GreaterOrEqual(t, tried[1].at.Sub(tried[0].at), time.Minute, "when the claim has run out")
}

func TestCrash_DuringTheSend(t *testing.T) {
	tried := crash(t, func(m *mortal, tried *sendings) notify.Channel {
		return tried.channel("c", func(ctx context.Context, _ notify.Notification) error {
			m.dead.Store(true)
			<-ctx.Done()
			return ctx.Err()
		})
	}, func(*scene) {})
	require.Len(t, tried, 2)
	require.Equal(t, tried[0].id, tried[1].id)
}

// A database that does not answer for a while delays, and nothing else. What was
// sent meanwhile is not sent again.
func TestSender_DatabaseIsLostForAWhile(t *testing.T) {
	var tried sendings
	h := newHistory()
	h.open("a")
	h.deposit("a", "1.00 EUR")
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t)
		m := &mortal{Store: s.store}
		service := s.service(newTopic("t1", h), []notify.Channel{tried.channel("c", func(context.Context, notify.Notification) error {
			if len(tried.all()) == 1 {
				m.dead.Store(true)
			}
			return nil
		})}, func(c *notify.Config) { c.Store, c.FromBeginning = m, true })
		service.SetClock(time.Now)
		stop := start(t, service.Run)
		<-time.After(30 * time.Second)
		synctest.Wait()
		require.Len(t, tried.all(), 1)
		m.dead.Store(false)
		<-time.After(30 * time.Second)
		synctest.Wait()
		require.Equal(t, []string{"a/0", "a/1"}, tried.events())
		require.Equal(t, []string{"sent|2|2"}, s.rows(`SELECT state, count(*), sum(attempts) FROM notification GROUP BY state`))
		stop()
	})
}

// Two instances share what is to be sent; one that was paused beyond its claim
// does not undo what the other did.
func TestSender_Instances(t *testing.T) {
	var tried sendings
	h := newHistory()
	for range 30 {
		h.open(string(rune('A' + len(h.events))))
	}
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t)
		wakeUp := make(chan struct{})
		endPause := sync.OnceFunc(func() { close(wakeUp) })
		defer endPause() // also where the test fails
		paused := tried.channel("c", func(_ context.Context, n notify.Notification) error {
			<-wakeUp // a process that was stopped for long, and its attempts with it
			if n.EventID == "A/0" {
				return nil
			}
			return errors.New("connection reset")
		})
		run := func(channel notify.Channel) (stop func()) {
			service := s.service(newTopic("t1", h), []notify.Channel{channel}, func(c *notify.Config) { c.FromBeginning = true })
			service.SetClock(time.Now)
			return start(t, service.Run)
		}
		stopFirst := run(paused)
		<-time.After(recorded)
		synctest.Wait()
		require.Len(t, tried.all(), 16)
		stopSecond := run(tried.channel("c", nil))
		<-time.After(10 * time.Second)
		synctest.Wait()
		require.Len(t, tried.all(), 30, "what one has claimed is not the other's")
		<-time.After(5 * time.Minute)
		synctest.Wait()
		require.Len(t, tried.all(), 46, "until the claim has run out")
		require.Equal(t, []string{"sent|30"}, s.rows(`SELECT state, count(*) FROM notification GROUP BY state`))
		before := s.rows(`SELECT updated_us FROM notification ORDER BY seq`)
		endPause()
		synctest.Wait()
		require.Equal(t, before, s.rows(`SELECT updated_us FROM notification ORDER BY seq`))
		require.Equal(t, []string{"sent|30||46"}, s.rows(`SELECT state, count(*), max(error), sum(attempts) FROM notification GROUP BY state`))
		require.Empty(t, s.rows(`SELECT account_id FROM notify_lane`))
		stopSecond()
		stopFirst()
	})
}

// An attempt that ends after its claim has run out says nothing any more, unless
// it was a success: the lane belongs to whoever tries now.
func TestSender_LostClaim(t *testing.T) {
	for name, end := range map[string]error{"Failure": errors.New("connection reset"), "Refusal": notify.ErrRefused} {
		t.Run(name, func(t *testing.T) {
			var tried sendings
			h := newHistory()
			h.open("a")
			synctest.Test(t, func(t *testing.T) {
				s := newScene(t)
				paused := &mortal{Store: s.store}
				run := func(store projection.Store[*sql.Tx], release chan struct{}, end error) (stop func()) {
					channel := tried.channel("c", func(context.Context, notify.Notification) error {
						<-release
						return end
					})
					service := s.service(newTopic("t1", h), []notify.Channel{channel}, func(c *notify.Config) {
						c.Store, c.FromBeginning = store, true
					})
					service.SetClock(time.Now)
					return start(t, service.Run)
				}
				first, second := make(chan struct{}), make(chan struct{})
				endFirst, endSecond := sync.OnceFunc(func() { close(first) }), sync.OnceFunc(func() { close(second) })
				defer endFirst() // also where the test fails
				defer endSecond()
				stopFirst := run(paused, first, end)
				synctest.Wait()
				paused.dead.Store(true)
				stopSecond := run(s.store, second, nil)
				<-time.After(90 * time.Second)
				synctest.Wait()
				require.Len(t, tried.all(), 2)
				paused.dead.Store(false)
				endFirst()
				<-time.After(30 * time.Second)
				synctest.Wait()
				require.Len(t, tried.all(), 2)
				require.Equal(t, []string{"pending|2|"}, s.rows(`SELECT state, attempts, error FROM notification`))
				endSecond()
				synctest.Wait()
				require.Equal(t, []string{"sent|2|"}, s.rows(`SELECT state, attempts, error FROM notification`))
				stopFirst()
				stopSecond()
			})
		})
	}
}

// A process that is started again under the same name takes up at once what the
// one before had claimed; one under another name waits for the claim to run out.
func TestCrash_SameHolder(t *testing.T) {
	for again, want := range map[string]bool{"one": true, "one-": false, "on": false, "two": false} {
		var tried sendings
		h := newHistory()
		h.open("a")
		synctest.Test(t, func(t *testing.T) {
			s := newScene(t)
			options := func(holder string) func(c *notify.Config) {
				return func(c *notify.Config) { c.FromBeginning, c.Holder = true, holder }
			}
			m := &mortal{Store: s.store}
			first := s.service(newTopic("t1", h), []notify.Channel{tried.channel("c", func(context.Context, notify.Notification) error {
				m.dead.Store(true)
				return nil
			})}, options("one"), func(c *notify.Config) { c.Store = m })
			first.SetClock(time.Now)
			stop := start(t, first.Run)
			synctest.Wait()
			stop()
			second := s.service(newTopic("t1", h), []notify.Channel{tried.channel("c", nil)}, options(again))
			second.SetClock(time.Now)
			stop = start(t, second.Run)
			<-time.After(20 * time.Second)
			synctest.Wait()
			stop()
		})
		require.Equal(t, want, len(tried.all()) == 2, "after %q", again)
	}
}
