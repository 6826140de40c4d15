package eventstore

import (
	"context"
	"fmt"

	"passbook/es/event"
)

// Pending is a commit on its way to becoming durable.
type Pending struct {
	commit Commit
	bytes  int
	// after is the commit on whose events this one was decided, while that was
	// still in flight; nil once it is durable.
	after *Pending

	done    chan struct{}
	receipt Receipt
	err     error
}

// Receipt tells where a commit's last event stands. Without events, Version is
// the version that was confirmed and Position is 0.
type Receipt struct{ Version, Position int64 }

// Done is closed when it is known what became of the commit.
func (p *Pending) Done() <-chan struct{} { return p.done }

// Wait returns the receipt once the commit, and everything under it, is
// durable. If ctx ends before, it returns ErrOutcomeUnknown: a commit that was
// accepted is not taken back. Other errors: ErrConflict, ErrPredecessorLost,
// ErrKeyTaken, ErrUnavailable, ErrInvalid.
func (p *Pending) Wait(ctx context.Context) (Receipt, error) {
	select {
	case <-p.done: // an answer that is there wins over a context that has ended
		return p.receipt, p.err
	default:
	}
	select {
	case <-p.done:
		return p.receipt, p.err
	case <-ctx.Done():
		return Receipt{}, fmt.Errorf("stream %s: %w: %w", p.commit.Stream, ErrOutcomeUnknown, context.Cause(ctx))
	}
}

// settled tells whether it is known what became of p.
func (p *Pending) settled() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// lost tells whether p is settled and not durable.
func (p *Pending) lost() bool { return p.settled() && p.err != nil }

func (p *Pending) succeed(first int64) {
	p.receipt = Receipt{Version: p.commit.Expected + int64(len(p.commit.Events))}
	if n := len(p.commit.Events); n > 0 {
		p.receipt.Position = first + int64(n) - 1
	}
	p.settle(nil)
}

func (p *Pending) settle(err error) {
	p.err = err
	p.after = nil // or a busy stream would keep its whole past in memory
	close(p.done)
}

// Submit accepts a commit and returns at once. Commits of one stream become
// durable in the order in which they were submitted.
//
// after is the commit, if any, whose events the decision rests on while they
// are still in flight: if it does not become durable, neither does this one,
// whatever version the stream has by then.
//
// Without an error the commit is on its way and cannot be called back. With
// one (ErrInvalid, ErrOverloaded, ErrUnavailable once the store is stopping or
// while the clock is wrong: see Clock) nothing has happened.
func (s *Store) Submit(commit Commit, after *Pending) (*Pending, error) {
	if err := commit.Validate(); err != nil {
		return nil, err
	}
	if err := s.clock.fault(); err != nil {
		return nil, fmt.Errorf("stream %s: %w", commit.Stream, err)
	}
	p := &Pending{commit: commit, after: after, done: make(chan struct{})}
	p.commit.Events = make([]event.Envelope, len(commit.Events))
	for i, e := range commit.Events {
		e.Stream, e.Version, e.Position = commit.Stream, commit.Expected+1+int64(i), 0
		p.commit.Events[i] = e
		p.bytes += len(e.Data)
	}
	if err := s.queue.push(p); err != nil {
		return nil, fmt.Errorf("stream %s: %w", commit.Stream, err)
	}
	return p, nil
}

// Append submits a commit that was decided on durable state, and waits for it.
func (s *Store) Append(ctx context.Context, commit Commit) (Receipt, error) {
	p, err := s.Submit(commit, nil)
	if err != nil {
		return Receipt{}, err
	}
	return p.Wait(ctx)
}

// Limits of what one commit may hold. They keep every engine far from its own.
const (
	streamMax = 255       // bytes of a stream's name
	eventsMax = 1000      // events of a commit
	dataMax   = 1 << 20   // bytes of one payload
	commitMax = 8 << 20   // bytes of all payloads of a commit
	keyMax    = 255       // bytes of a key and of a client's name
	resultMax = 256 << 10 // bytes of a stored result
)

// Validate returns an ErrInvalid that says what is wrong with a commit by itself,
// whatever the store holds. Submit calls it.
func (c *Commit) Validate() error {
	fault := func(format string, args ...any) error {
		return fmt.Errorf("stream %.64q: %w: %s", c.Stream, ErrInvalid, fmt.Sprintf(format, args...))
	}
	switch {
	case c.Stream == "" || len(c.Stream) > streamMax:
		return fault("the stream's name has %d bytes, want 1 to %d", len(c.Stream), streamMax)
	case c.Expected < event.NoVersion:
		return fault("expected version %d, want %d or more", c.Expected, event.NoVersion)
	case len(c.Events) > eventsMax:
		return fault("%d events, want %d at most", len(c.Events), eventsMax)
	case len(c.Key.Value) > keyMax || len(c.Key.Client) > keyMax:
		return fault("idempotency key or client longer than %d bytes", keyMax)
	case len(c.Result) > resultMax:
		return fault("a result of %d bytes, want %d at most", len(c.Result), resultMax)
	case len(c.Events) == 0 && !c.Key.IsZero():
		return fault("an idempotency key without events")
	}
	bytes := 0
	for i, e := range c.Events {
		bytes += len(e.Data)
		switch {
		case e.ID == "":
			return fault("event %d has no id", i)
		case e.Type.Name == "" || e.Type.Schema < 1:
			return fault("event %d has no type with a schema version", i)
		case e.Time.IsZero() || !e.Time.Equal(event.Truncate(e.Time)):
			return fault("event %d has no time in whole microseconds", i)
		case len(e.Data) > dataMax:
			return fault("event %d has a payload of %d bytes, want %d at most", i, len(e.Data), dataMax)
		}
	}
	if bytes > commitMax {
		return fault("payloads of %d bytes, want %d at most", bytes, commitMax)
	}
	return nil
}
