package aggregate

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"time"

	"passbook/es/event"
	"passbook/es/eventstore"
)

// Store is what a Repository needs of an event store; *eventstore.Store is one.
type Store interface {
	ReadStream(ctx context.Context, stream string, from int64) iter.Seq2[event.Envelope, error]
	Submit(commit eventstore.Commit, after *eventstore.Pending) (*eventstore.Pending, error)
	FindKey(ctx context.Context, key event.Key) (eventstore.KeyRecord, error)
	SaveSnapshot(ctx context.Context, snapshot eventstore.Snapshot) error
	LoadSnapshot(ctx context.Context, stream string) (eventstore.Snapshot, error)
	SharedWriters() bool
	LeastVersion(stream string) int64
	Recent(stream string, from int64) []event.Envelope
}

// Repository carries out requests on the aggregates of one kind. For one store
// and kind there is one Repository in a process. Safe for concurrent use.
type Repository[S any] struct {
	definition Definition[S]
	store      Store
	config     Config
	cache      *cache[S]
	flights    flights
}

// Config has the settings of a Repository; the zero value of a member stands
// for its default.
type Config struct {
	// CacheMax is how many aggregates are kept in memory. Default 100,000.
	CacheMax int
	// SnapshotEvery is after how many events of a stream a snapshot is taken.
	// Default 500.
	SnapshotEvery int
	// AttemptsMax is how often a request is decided before it fails with
	// eventstore.ErrConflict. Default 64: where the network is slow, a process can
	// lose many races in a row before the one that wins them hears of it.
	AttemptsMax int
	// Now is the clock. Default time.Now.
	Now func() time.Time
	// Logger hears of snapshots that could not be used. Default slog.Default().
	Logger *slog.Logger
}

// NewRepository returns a Repository of the aggregates that definition tells of.
func NewRepository[S any](store Store, definition Definition[S], config Config) *Repository[S] {
	if config.CacheMax <= 0 {
		config.CacheMax = 100_000
	}
	if config.SnapshotEvery <= 0 {
		config.SnapshotEvery = 500
	}
	if config.AttemptsMax <= 0 {
		config.AttemptsMax = 64
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	if config.Logger == nil {
		config.Logger = slog.Default()
	}
	return &Repository[S]{
		definition: definition, store: store, config: config,
		cache:   newCache[S](config.CacheMax),
		flights: flights{keys: make(map[event.Key]*eventstore.Pending)},
	}
}

// Load returns the durable state of an aggregate as of version through, or as
// of its last one where through is negative, from nothing but its events, and
// the version that this is. For an aggregate that does not exist it returns the
// zero state and event.NoVersion.
func (r *Repository[S]) Load(ctx context.Context, stream string, through int64) (S, int64, error) {
	p, err := r.foldTail(ctx, stream, point[S]{version: event.NoVersion}, through)
	return p.state, p.version, err
}

// Execute carries out a request and returns once its events are durable.
//
// Whatever it returns rests on durable events only: a refusal is returned after
// everything that it was decided on has become durable, and is decided again if
// that did not. Errors: what Decide refused with, ErrVersionMismatch,
// ErrKeyReused, ErrKeyInFlight, and of eventstore ErrConflict (others were
// faster, AttemptsMax times), ErrUnavailable, ErrOverloaded, ErrInvalid: nothing
// has happened; and eventstore.ErrOutcomeUnknown.
func (r *Repository[S]) Execute(ctx context.Context, request Request[S]) (Outcome, error) {
	if request.Key.IsZero() {
		outcome, _, err := r.decideUntilSettled(ctx, request)
		return outcome, err
	}
	if err := r.flights.begin(request.Key); err != nil {
		return Outcome{}, err
	}
	var pending *eventstore.Pending
	defer func() { r.flights.end(request.Key, pending) }() // deferred: also when Decide panics
	outcome, found, err := r.findOutcome(ctx, request)
	if found || err != nil {
		return outcome, err
	}
	outcome, pending, err = r.decideUntilSettled(ctx, request)
	return outcome, err
}

// findOutcome returns the outcome of an earlier request under the same key.
func (r *Repository[S]) findOutcome(ctx context.Context, request Request[S]) (Outcome, bool, error) {
	prior, err := r.store.FindKey(ctx, request.Key)
	switch {
	case errors.Is(err, eventstore.ErrKeyNotFound):
		return Outcome{}, false, nil
	case err != nil:
		return Outcome{}, false, fmt.Errorf("%w: %w", eventstore.ErrUnavailable, err)
	}
	outcome, err := outcomeOf(request.RequestHash, prior)
	return outcome, true, err
}

func outcomeOf(hash []byte, prior eventstore.KeyRecord) (Outcome, error) {
	if !bytes.Equal(hash, prior.RequestHash) {
		return Outcome{}, ErrKeyReused
	}
	return Outcome{
		Stream: prior.Stream, Version: prior.Version, Position: prior.Position, Result: prior.Result, Replayed: true,
	}, nil
}

// decideUntilSettled carries out a request whose key, if any, is unused. The Pending that
// it returns is the commit that it left behind without learning its fate.
func (r *Repository[S]) decideUntilSettled(ctx context.Context, request Request[S]) (Outcome, *eventstore.Pending, error) {
	e := r.cache.acquire(request.Stream)
	defer r.cache.release(e)
	var lost error
	for range r.config.AttemptsMax {
		d, err := r.decideOnTip(ctx, e, request)
		if err != nil {
			return Outcome{}, nil, err
		}
		receipt, err := d.wait(ctx)
		if len(d.events) > 0 {
			if errors.Is(err, eventstore.ErrConflict) || errors.Is(err, eventstore.ErrPredecessorLost) {
				lost = err
				continue
			}
			return r.conclude(ctx, e, request, d, receipt, err)
		}
		switch {
		case err == nil:
			outcome, err := r.answer(ctx, request, d)
			return outcome, nil, err
		case errors.Is(err, eventstore.ErrOutcomeUnknown),
			errors.Is(err, eventstore.ErrUnavailable) && r.store.SharedWriters():
			// In doubt is what lies under the answer, or whether it still holds.
			// The request itself has written nothing and will not.
			return Outcome{}, nil, fmt.Errorf("stream %s: confirm the answer: %w: %w", e.stream, eventstore.ErrUnavailable, plain(err))
		}
		lost = err // whatever became of another's commit, the state is not what was decided on
	}
	if conflict, ok := errors.AsType[*eventstore.ConflictError](lost); ok {
		return Outcome{}, nil, fmt.Errorf("gave up after %d attempts: %w", r.config.AttemptsMax, conflict)
	}
	return Outcome{}, nil, fmt.Errorf("stream %s: gave up after %d attempts: %w: %w",
		e.stream, r.config.AttemptsMax, eventstore.ErrConflict, plain(lost))
}

// plain keeps the text of an error and drops what it is: it tells of another
// request's commit.
func plain(err error) error { return errors.New(err.Error()) }

// decision is the answer to a request on one state, and what has to become
// durable before it may be given.
type decision[S any] struct {
	refusal error
	events  []event.Envelope
	result  []byte
	// before is the version that was decided on, behind the point after it.
	before int64
	behind point[S]
	// rests is the request's own commit, or that of the events under its
	// answer; nil where those are durable.
	rests *eventstore.Pending
}

func (d *decision[S]) wait(ctx context.Context) (eventstore.Receipt, error) {
	if d.rests == nil {
		return eventstore.Receipt{}, nil
	}
	return d.rests.Wait(ctx) //nolint:wrapcheck // it names the stream and what happened
}

// decideOnTip decides once, on the newest state, and submits what that leads to.
// The lock is held for as long as this takes and no longer, so that the next
// request is decided on top while this one is on its way to the disk.
func (r *Repository[S]) decideOnTip(ctx context.Context, e *entry[S], request Request[S]) (*decision[S], error) {
	if err := e.acquire(ctx); err != nil {
		return nil, err
	}
	defer e.release()
	e.settle()
	e.notice(r.store.LeastVersion(e.stream))
	if err := r.catchUp(ctx, e); err != nil {
		return nil, err
	}
	d, err := r.judge(e.tip, request)
	if err != nil {
		return nil, err
	}
	if d.refusal != nil || len(d.events) == 0 {
		return d, r.rest(e, d)
	}
	d.rests, err = r.store.Submit(eventstore.Commit{
		Stream: e.stream, Expected: e.tip.version, Events: d.events,
		Key: request.Key, RequestHash: request.RequestHash, Result: d.result,
	}, e.inFlight)
	if err != nil {
		return nil, err //nolint:wrapcheck // it names the stream and what happened
	}
	e.tip, e.inFlight = d.behind, d.rests
	return d, nil
}

// rest tells what an answer without events has to wait for. Where others write
// too, their events may have changed the answer: a commit without events asks.
func (r *Repository[S]) rest(e *entry[S], d *decision[S]) error {
	d.rests = e.inFlight
	if !r.store.SharedWriters() {
		return nil
	}
	check, err := r.store.Submit(eventstore.Commit{Stream: e.stream, Expected: e.tip.version}, e.inFlight)
	if err != nil {
		return err //nolint:wrapcheck // it names the stream and what happened
	}
	d.rests, e.inFlight = check, check
	return nil
}

// judge asks the request's decision at a point. It changes nothing.
func (r *Repository[S]) judge(at point[S], request Request[S]) (*decision[S], error) {
	d := &decision[S]{before: at.version, behind: at}
	if request.Expected != nil && *request.Expected != at.version {
		d.refusal = &VersionError{Stream: request.Stream, Expected: *request.Expected, Actual: at.version}
		return d, nil
	}
	payloads, refusal := request.Decide(at.state)
	if refusal != nil {
		d.refusal = refusal
		return d, nil //nolint:nilerr // a refusal is an answer, and has to wait for what it rests on
	}
	now := event.Truncate(r.config.Now())
	if now.Before(at.time) {
		now = at.time
	}
	for _, payload := range payloads {
		t, data, err := r.definition.Codec.Encode(payload)
		if err != nil {
			return nil, fmt.Errorf("stream %s: %w: %w", request.Stream, eventstore.ErrInvalid, err)
		}
		envelope := event.Envelope{
			ID: event.NewID(), Category: r.definition.Category, Type: t, Time: now, Data: data, Metadata: request.Metadata,
		}
		d.events = append(d.events, envelope)
		d.behind = r.next(d.behind, envelope, payload)
	}
	if request.Result != nil {
		d.result = request.Result(d.behind.state)
	}
	return d, nil
}

// conclude answers for a request whose events were submitted.
func (r *Repository[S]) conclude(
	ctx context.Context, e *entry[S], request Request[S], d *decision[S], receipt eventstore.Receipt, err error,
) (Outcome, *eventstore.Pending, error) {
	var taken *eventstore.KeyTakenError
	switch {
	case errors.As(err, &taken):
		outcome, err := outcomeOf(request.RequestHash, taken.Prior)
		return outcome, nil, err
	case err != nil:
		return Outcome{}, d.rests, err
	}
	if e.acquire(ctx) == nil { // else base stays behind, which costs a longer tail some day
		e.confirm(d.behind)
		if e.inFlight == d.rests {
			e.inFlight = nil // or an idle aggregate would keep its last commit in memory
		}
		e.release()
	}
	r.saveSnapshot(ctx, request.Stream, d.before, d.behind)
	return Outcome{Stream: request.Stream, Version: receipt.Version, Position: receipt.Position, Result: d.result}, nil, nil
}

// answer gives an answer without events. A refusal may turn out to be of a
// request that has been carried out already: by another process, which so made
// the very state that refuses it.
func (r *Repository[S]) answer(ctx context.Context, request Request[S], d *decision[S]) (Outcome, error) {
	if d.refusal == nil {
		return Outcome{Stream: request.Stream, Version: d.behind.version, Result: d.result}, nil
	}
	if !request.Key.IsZero() {
		if outcome, found, err := r.findOutcome(ctx, request); found || err != nil {
			return outcome, err
		}
	}
	return Outcome{}, d.refusal
}
