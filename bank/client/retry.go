package client

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	random "math/rand/v2"
	"net/http"
	"time"
)

// How long is waited before the next attempt: twice as long each time, up to the
// greatest, less a random part so that clients do not come back all at once. A
// service that asks for longer gets longer.
const (
	pauseMin = 50 * time.Millisecond
	pauseMax = time.Second
)

// fate is what is known of a request after one attempt.
type fate int

const (
	settled    fate = iota // done or refused, for good
	undone                 // nothing has happened; it may be sent again
	open                   // it may have happened
	unreadable             // the service says it is done, in words that cannot be read
)

// judge tells what an attempt's error means.
func judge(err error) fate {
	if err == nil {
		return settled
	}
	if _, ok := errors.AsType[*UnreachableError](err); ok {
		return undone
	}
	if _, ok := errors.AsType[*lostError](err); ok {
		return open
	}
	refusal, ok := errors.AsType[*Error](err)
	if !ok {
		return settled // the request could not be made
	}
	switch {
	case refusal.Status < 300:
		return unreadable
	case refusal.Status < 400:
		return settled
	case refusal.Code == "idempotency-key-in-flight":
		return open
	case refusal.Status == http.StatusTooManyRequests,
		refusal.Code == "unavailable":
		return undone
	case refusal.Refused():
		return settled
	}
	return open // outcome-unknown, internal, and whatever a proxy in between makes up
}

// fetch asks for something. Asking again changes nothing, so it does while the
// service is not able to answer.
func (c *Client) fetch(ctx context.Context, s *service, address string, wait time.Duration, into any) error {
	ctx, cancel := c.deadline(ctx, wait)
	defer cancel()
	r := &request{service: s, method: http.MethodGet, address: address}
	for attempt := 0; ; attempt++ {
		a, err := c.send(ctx, r)
		if err == nil {
			return s.decode(a, into)
		}
		if !again(err, attempt) || pause(ctx, attempt, err) != nil {
			return ended(ctx, err)
		}
	}
}

// again tells whether asking once more may help.
func again(err error, attempt int) bool {
	switch judge(err) {
	case settled, unreadable:
		return false
	case undone:
		_, unreachable := errors.AsType[*UnreachableError](err)
		return !unreachable || attempt > 0 // a service that is not there is told of at once
	case open:
		return true
	}
	return false
}

// ended is the error of a call that is over. A call that its caller ended says so.
func ended(ctx context.Context, err error) error {
	if errors.Is(ctx.Err(), context.Canceled) {
		return fmt.Errorf("%w: %w", context.Canceled, err)
	}
	return err
}

// Issued is how a command was sent.
type Issued struct {
	// Key is the idempotency key that it was sent with.
	Key string
	// Replayed tells that the command had been carried out before under the same
	// key, and the answer is that of then.
	Replayed bool
}

// issue sends a command until its fate is settled or the time is over.
func (c *Client) issue(ctx context.Context, s *service, address string, options CommandOptions, body []byte, into any) (Issued, error) {
	if options.Key == "" {
		options.Key = rand.Text()
	}
	ctx, cancel := c.deadline(ctx, 0)
	defer cancel()
	r := &request{
		service: s, method: http.MethodPost, address: address, header: options.header(), body: body,
		patient: c.timeout / 2, // a connection that went silent leaves time for another
	}
	issued := Issued{Key: options.Key}
	mayBeDone := false
	for attempt := 0; ; attempt++ {
		a, err := c.send(ctx, r)
		if err == nil {
			err = s.decode(a, into)
		}
		if err == nil {
			issued.Replayed = a.header.Get("Idempotent-Replayed") == "true"
			return issued, nil
		}
		fate := judge(err)
		if fate == settled {
			return issued, ended(ctx, err)
		}
		mayBeDone = mayBeDone || fate == open || fate == unreadable
		if (again(err, attempt) || fate == undone && mayBeDone) && pause(ctx, attempt, err) == nil {
			continue
		}
		if mayBeDone {
			err = &UnknownError{Key: options.Key, Err: err}
		}
		return issued, ended(ctx, err)
	}
}

// once sends what must not be carried out twice and has no key. It is sent again
// only while it is known that nothing happened.
func (c *Client) once(ctx context.Context, s *service, address string, body []byte, into any) error {
	ctx, cancel := c.deadline(ctx, 0)
	defer cancel()
	r := &request{service: s, method: http.MethodPost, address: address, body: body}
	for attempt := 0; ; attempt++ {
		a, err := c.send(ctx, r)
		if err == nil {
			err = s.decode(a, into)
		}
		if err == nil {
			return nil
		}
		fate := judge(err)
		if fate == undone && again(err, attempt) && pause(ctx, attempt, err) == nil {
			continue
		}
		if fate == open || fate == unreadable {
			err = &UnknownError{Err: err}
		}
		return ended(ctx, err)
	}
}

// pause waits before the next attempt. It returns an error, at once, if the time
// is over or will be before the service wants to be asked again.
func pause(ctx context.Context, attempt int, err error) error {
	wait := pauseMin << min(attempt, 10)
	wait = min(wait, pauseMax)
	wait -= random.N(wait / 2) //nolint:gosec // spreads load, guards nothing
	if refusal, ok := errors.AsType[*Error](err); ok {
		wait = max(wait, refusal.RetryAfter)
	}
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) <= wait {
		return context.DeadlineExceeded
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
