package takeover

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"iter"

	"passbook/bank/events"
	contract "passbook/contract/account"
	"passbook/es/archive"
	"passbook/es/event"
)

// Config says how a source is taken over.
type Config struct {
	// Currency is that of all accounts: the original knows none.
	Currency contract.Currency
	// Rules say what to do about irregularities.
	Rules Rules
	// Progress, if there is one, is told from time to time how many events of the
	// reading under way were looked at.
	Progress func(done int64)
}

// Plan is what was found in a source, and what is to become of it.
type Plan struct {
	Report Report

	source  Source
	config  Config
	order   *order
	leftOut map[string]bool
	sum     []byte
}

// Check reads the whole source and writes nothing. What it finds stands in the
// plan's report. Errors are those of the source, ErrOwnStore, ErrNoEvents and
// ErrChanged; that accounts are not what they should be is none.
func Check(ctx context.Context, source Source, config Config) (*Plan, error) {
	if config.Progress == nil {
		config.Progress = func(int64) {}
	}
	told := config.Progress
	config.Progress = func(done int64) {
		if done%progressStep == 0 {
			told(done)
		}
	}
	order, err := readOrder(ctx, source, config.Rules, config.Progress)
	if err != nil {
		return nil, err
	}
	p := &Plan{source: source, config: config, order: order, leftOut: make(map[string]bool)}
	read, l, sum := int64(0), newLedger(config.Rules, config.Currency), sha256.New()
	err = p.each(ctx, sum, l, func(*record, *taken) error {
		read++
		config.Progress(read)
		return nil
	})
	switch {
	case err != nil:
		return nil, err
	case read == 0:
		return nil, ErrNoEvents
	}
	p.sum = sum.Sum(nil)
	if order.sum != nil && string(order.sum) != string(p.sum) {
		return nil, ErrChanged
	}
	told(read)
	l.end()
	for id, a := range l.accounts {
		if a.leftOut || a.last < 0 {
			p.leftOut[id] = true
		}
	}
	p.Report = l.report(read)
	return p, nil
}

const progressStep = 500

// each reads the source once through a ledger, and hands on each record with the
// event that is taken in its place, nil if none is.
func (p *Plan) each(ctx context.Context, sum hash.Hash, l *ledger, do func(*record, *taken) error) error {
	turns := p.order.begin()
	for r, err := range records(ctx, p.source, sum) {
		if err != nil {
			return err
		}
		if p.leftOut[r.account] {
			continue
		}
		l.stored(r)
		turn, err := turns.next(r)
		if err != nil {
			return err
		}
		t, err := l.take(turn)
		if err == nil {
			err = do(turn, t)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// ErrUndecided: there is no rule for some kind of irregularity that was found.
var ErrUndecided = errors.New("there are irregularities without a rule")

// Fill takes the source over into an empty store, which the caller holds alone;
// see archive.Fill. A filling that was interrupted goes on with a plan that was
// made of the same source with the same rules and the same currency; any other is
// refused with eventstore.ErrOtherImport. After ErrChanged, what was written is
// to be thrown away.
func (p *Plan) Fill(ctx context.Context, target archive.Target, config archive.ImportConfig) (archive.Filled, error) {
	if len(p.Report.Open()) > 0 {
		return archive.Filled{}, ErrUndecided
	}
	return archive.Fill(ctx, target, archive.Origin{Name: p.name(), Head: p.Report.TakenEvents, Entries: p.entries(ctx)}, config)
}

// format is raised when the same source under the same rules gives other events
// than before: an interrupted run of the program before must not be gone on with.
const format = 1

// name tells the history that this plan makes from every other one.
func (p *Plan) name() string {
	what := fmt.Sprintf("%d\n%s\n%s%x\n", format, p.config.Currency, p.config.Rules, p.sum)
	return fmt.Sprintf("takeover %x", sha256.Sum256([]byte(what)))
}

// entries yields the history.
func (p *Plan) entries(ctx context.Context) iter.Seq2[archive.Entry, error] {
	return func(yield func(archive.Entry, error) bool) {
		codec, err := events.Codec()
		if err != nil {
			yield(archive.Entry{}, err)
			return
		}
		l, sum, position := newLedger(p.config.Rules, p.config.Currency), sha256.New(), int64(0)
		err = p.each(ctx, sum, l, func(r *record, t *taken) error {
			if t == nil {
				return nil
			}
			position++
			e, err := envelope(codec, r, t, position)
			if err == nil && !yield(archive.Entry{Event: e}, nil) {
				err = errStopped
			}
			return err
		})
		if err == nil && string(sum.Sum(nil)) != string(p.sum) {
			err = ErrChanged
		}
		if err != nil && !errors.Is(err, errStopped) {
			yield(archive.Entry{}, err)
		}
	}
}

// errStopped: nobody wants any more.
var errStopped = errors.New("stopped")

func envelope(codec *event.Codec, r *record, t *taken, position int64) (event.Envelope, error) {
	kind, data, err := codec.Encode(t.payload)
	if err != nil {
		return event.Envelope{}, fmt.Errorf("account %s, event %s: %w", r.account, r.idText, err)
	}
	return event.Envelope{
		ID: eventID(r), Stream: r.account, Category: contract.AggregateType, Version: t.version, Position: position,
		Type: kind, Time: event.Truncate(t.time), Data: data,
		Metadata: event.Metadata{CausationID: causation(r, t.applied), Imported: true},
	}, nil
}
