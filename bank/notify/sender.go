package notify

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

const (
	// sendersMax is how many notifications of a channel are sent at the same time.
	sendersMax = 16
	// sendTimeout is how long an attempt may take.
	sendTimeout = 15 * time.Second
	// leaseTime leaves an attempt the time to be settled after its end.
	leaseTime = sendTimeout + time.Minute
	// stopTimeout is what attempts get to end in when the service stops, and
	// settleTimeout what keeping their outcomes gets then.
	stopTimeout   = 2 * time.Second
	settleTimeout = 2 * time.Second
	// collectTime is how long an outcome waits for others.
	collectTime = 5 * time.Millisecond
	// aheadTime is how long what was claimed takes at most on a channel that takes
	// it at once: then more is claimed the next time, where that is worth it.
	aheadTime = 100 * time.Millisecond
	// heldTime is how long what was claimed waits to be begun: then the channel is
	// not what it was, and another process may have the rest.
	heldTime = time.Second
	// pollTime is how often a sender looks for what it was not woken for: what is
	// recorded when a parked stream goes on, or by a process that has died since.
	pollTime = 5 * time.Second
	// Pauses while the database does not answer.
	lostPauseMin = 100 * time.Millisecond
	lostPauseMax = 10 * time.Second
)

// sender sends the notifications of one channel. It is the only one of the process
// for its channel; one that hangs holds up nobody else.
type sender struct {
	channel Channel
	queue   *queue
	metrics *metrics
	log     *slog.Logger
	// wake holds one element when there is a reason to look.
	wake chan struct{}

	// What follows belongs to Run.
	attempts sync.WaitGroup
	results  chan outcome
	inFlight int
	// waiting are claimed and not begun; ahead is how many are claimed at most,
	// with those that are in flight.
	waiting []job
	ahead   int
	// full: there was as much as could be claimed, and all that has ended since took
	// no longer than aheadTime.
	full bool
	// settling are outcomes that are not kept yet.
	settling []outcome
	// freed: claims that an earlier process left behind are given up.
	freed bool
	// failing: the last outcome was an error, which was logged; lost: the database
	// did not answer, for the pause that is next.
	failing bool
	lost    time.Duration
}

func newSender(channel Channel, q *queue, m *metrics, log *slog.Logger) *sender {
	return &sender{
		channel: channel, queue: q, metrics: m, log: log.With("channel", channel.Name()),
		wake: make(chan struct{}, 1), results: make(chan outcome, sendersMax), ahead: sendersMax,
	}
}

// Run sends until ctx ends. Then attempts that were begun get a few seconds to
// end; one that does not is cut off and made again at the next start. It always
// returns nil: a database that does not answer is tried again for ever.
func (s *sender) Run(ctx context.Context) error {
	attempts, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer s.attempts.Wait()
	defer cut()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for ctx.Err() == nil {
		timer.Reset(min(pollTime, s.turn(ctx, attempts)))
		select {
		case o := <-s.results:
			s.collect(attempts, o)
		case <-s.wake:
		case <-timer.C:
		case <-ctx.Done():
		}
		if len(s.waiting) > 0 && time.Since(s.waiting[0].claimed) >= heldTime {
			s.giveBack()
		}
	}
	s.finish(ctx, cut)
	return nil
}

// turn keeps outcomes, begins attempts, and returns how long nothing is to do.
func (s *sender) turn(ctx, attempts context.Context) time.Duration {
	if !s.freed {
		if err := s.queue.free(ctx); err != nil {
			return s.databaseLost(ctx, err)
		}
		s.freed = true
	}
	room := s.ahead - s.inFlight - len(s.waiting)
	jobs, done, wait, err := s.queue.exchange(ctx, s.settling, max(0, room))
	if err != nil {
		return s.databaseLost(ctx, err)
	}
	s.databaseBack()
	s.tell(done)
	for _, j := range jobs {
		j.claimed = time.Now()
		s.waiting = append(s.waiting, j)
	}
	s.full = s.full || room > 0 && len(jobs) == room
	s.beginSome(attempts)
	switch {
	case len(s.waiting) > 0:
		return heldTime
	case s.inFlight == sendersMax:
		return pollTime // what is due waits for one that ends
	}
	return wait
}

// beginSome starts as many attempts as there may be at the same time.
func (s *sender) beginSome(ctx context.Context) {
	for len(s.waiting) > 0 && s.inFlight < sendersMax {
		s.begin(ctx, s.waiting[0])
		s.waiting = s.waiting[1:]
	}
}

// begin starts an attempt.
func (s *sender) begin(ctx context.Context, j job) {
	s.inFlight++
	s.metrics.attempts.WithLabelValues(s.channel.Name()).Inc()
	s.attempts.Go(func() {
		attempt, cancel := context.WithTimeout(ctx, sendTimeout)
		defer cancel()
		err := s.channel.Send(attempt, j.Notification)
		if err != nil && attempt.Err() != nil && ctx.Err() == nil {
			err = fmt.Errorf("no answer within %s: %w", sendTimeout, err)
		}
		s.results <- outcome{job: j, err: err, cut: err != nil && ctx.Err() != nil}
	})
}

// collect takes an outcome, and those that come with it or soon after: settling
// many costs the database little more than settling one. Attempts that have
// waited for one to end begin meanwhile.
func (s *sender) collect(ctx context.Context, o outcome) {
	others := time.NewTimer(collectTime)
	defer others.Stop()
	for {
		s.inFlight--
		s.settling = append(s.settling, o)
		if time.Since(o.claimed) > aheadTime {
			s.ahead, s.full = sendersMax, false
		}
		s.beginSome(ctx)
		if s.inFlight == 0 {
			if s.full {
				s.ahead = min(2*s.ahead, s.queue.sql.aheadMax)
			}
			s.full = false
			return
		}
		select {
		case o = <-s.results:
		case <-others.C:
			return
		}
	}
}

// errNotBegun is the outcome of what was claimed and given back.
var errNotBegun = errors.New("not begun: those before it took too long")

// giveBack gives up the claims of attempts that were not begun.
func (s *sender) giveBack() {
	for _, j := range s.waiting {
		s.settling = append(s.settling, outcome{job: j, err: errNotBegun, cut: true})
	}
	s.waiting, s.ahead = nil, sendersMax
}

// finish waits for the attempts that were begun, and keeps what became of them.
func (s *sender) finish(ctx context.Context, cut func()) {
	deadline := time.AfterFunc(stopTimeout, cut)
	defer deadline.Stop()
	s.giveBack()
	for s.inFlight > 0 {
		s.collect(ctx, <-s.results)
	}
	if len(s.settling) == 0 {
		return
	}
	keeping, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTimeout)
	defer cancel()
	_, done, _, err := s.queue.exchange(keeping, s.settling, 0)
	if err != nil {
		s.log.ErrorContext(ctx, "outcomes of notifications could not be kept: they are sent once more, with the same ids",
			"notifications", len(s.settling), "error", err)
		return
	}
	s.tell(done)
}

// tell counts and logs outcomes that were kept, in place of those of settling. A
// channel that fails gets one line when that begins and one when it is over.
func (s *sender) tell(done []settled) {
	name := s.channel.Name()
	for i, one := range done {
		o := s.settling[i]
		switch {
		case o.err == nil:
			s.metrics.sent.WithLabelValues(name).Inc()
			if s.failing {
				s.log.Info("notifications can be sent again")
			}
			s.failing = false
		case one.state == StateFailed:
			s.metrics.failed.WithLabelValues(name).Inc()
			s.log.Warn("a notification is given up", "notification", o.ID, "account", o.AccountID,
				"attempts", o.attempts, "error", one.error)
		case !s.failing && !o.cut:
			s.failing = true
			s.log.Warn("a notification could not be sent, and is tried again", "notification", o.ID, "account", o.AccountID,
				"attempts", o.attempts, "error", one.error)
		}
	}
	s.settling = nil
}

// databaseLost returns how long to wait before the database is asked again.
func (s *sender) databaseLost(ctx context.Context, err error) time.Duration {
	if ctx.Err() != nil {
		return 0
	}
	if s.lost == 0 {
		s.log.ErrorContext(ctx, "the notification DB does not answer, it is tried again", "error", err)
	}
	s.lost = min(max(2*s.lost, lostPauseMin), lostPauseMax)
	return s.lost
}

func (s *sender) databaseBack() {
	if s.lost > 0 {
		s.log.Info("the notification DB answers again")
	}
	s.lost = 0
}
