package mongodb

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"passbook/es/eventstore"
)

// Append implements eventstore.Engine.
//
// Single-event commits go as one ordered insert, of which any front part may
// become durable; a group with a larger commit goes as a transaction.
func (s *EventStore) Append(
	ctx context.Context, first int64, group []eventstore.Commit,
) ([]eventstore.Outcome, error) {
	s.appending.Lock()
	defer s.appending.Unlock()
	if s.failing {
		// Whether the database is there again is found out by reading: then a
		// failure proves that this call has written nothing.
		if _, err := s.Head(ctx); err != nil {
			return nil, notWritten(err)
		}
	}
	resumed := len(s.orphans.doubtful) > 0
	if err := s.orphans.settle(ctx, s); err != nil {
		return nil, err
	}
	a := appending{
		EventStore: s, group: group, next: first,
		outcomes: make([]eventstore.Outcome, len(group)), rejected: make(map[int]string),
	}
	err := a.run(ctx)
	s.failing = err != nil
	if resumed && errors.Is(err, eventstore.ErrNotWritten) {
		// The commit that was sent again may have been this group's own.
		err = errors.New(err.Error())
	}
	return a.outcomes, err
}

// notWritten marks an error of which it is certain that this call has written
// nothing that it does not report as written.
func notWritten(err error) error {
	if err == nil || errors.Is(err, eventstore.ErrNotWritten) {
		return err
	}
	return fmt.Errorf("%w: %w", eventstore.ErrNotWritten, err)
}

// appending is one group on its way into the store.
type appending struct {
	*EventStore
	group    []eventstore.Commit
	outcomes []eventstore.Outcome
	// from is the first commit that is not settled, next the position that it is
	// to get.
	from int
	next int64
	facts
	// absent is the id of an event that was looked for in this call, in vain.
	absent string
	// rejected are the commits that the server does not take, and why.
	rejected map[int]string
}

// roundsMax is how often a call judges and inserts. The second time it knows what
// stood in the way; more are for what appears while it looks.
const roundsMax = 3

func (a *appending) run(ctx context.Context) error {
	placed, err := a.checkPlace(ctx)
	if err != nil {
		return notWritten(err)
	}
	if !placed {
		return notWritten(a.findArrived(ctx))
	}
	for range roundsMax {
		more, err := a.round(ctx)
		if err != nil || !more {
			return err
		}
	}
	a.settleArrived() // the last round has looked, and nobody has judged since
	return nil
}

// checkPlace tells whether the position before the group's is in the store: it
// must be known from a majority, or else a gap could arise. That the group's own
// place is free, the insert itself finds out.
func (a *appending) checkPlace(ctx context.Context) (bool, error) {
	if a.next < 1 {
		return false, nil
	}
	if a.memory.position() >= a.next-1 {
		return true, nil
	}
	head, err := a.Head(ctx)
	return head >= a.next-1, err
}

// round writes as many commits as are good, from the first that is not settled,
// and tells whether another round is to follow.
func (a *appending) round(ctx context.Context) (more bool, err error) {
	j, err := a.judge(ctx)
	switch {
	case err != nil:
		return false, notWritten(err)
	case j.arrived:
		return false, nil
	case len(j.documents) == 0:
		a.settle(j.good)
		a.tellRefusals(j)
		return false, nil
	}
	r := a.insert(ctx, j)
	if r.verdict == unanswered {
		return false, r.err
	}
	a.settleDocuments(r.documents, j)
	switch r.verdict {
	case wroteAll:
		a.tellRefusals(j)
		return false, nil
	case placeTaken:
		return false, notWritten(a.giveWay(ctx))
	case blocked:
		return false, notWritten(a.findArrived(ctx))
	case refusedDocument:
		a.rejected[j.commitOf(r.index)] = r.reason
	case nameTaken, unanswered:
	}
	a.facts = facts{} // something is there that was not known: look anew
	return true, notWritten(a.look(ctx))
}

// settle marks commits from the first that is open as written, up to end.
func (a *appending) settle(end int) {
	first := a.next
	for ; a.from < end; a.from++ {
		c := &a.group[a.from]
		a.outcomes[a.from] = eventstore.Outcome{State: eventstore.Written}
		if n := int64(len(c.Events)); n > 0 {
			a.outcomes[a.from].Position = a.next
			a.next += n
			a.memory.saw(c.Stream, c.Expected+n)
		}
	}
	a.memory.reached(a.next - 1)
	a.rivals.passed(first, a.next-1)
}

// settleDocuments marks the commits whose documents are among the first so many.
func (a *appending) settleDocuments(documents int, j judgement) {
	if documents == len(j.documents) {
		a.settle(j.good)
		return
	}
	for documents > 0 {
		end := a.from
		for len(a.group[end].Events) == 0 {
			end++
		}
		if documents -= len(a.group[end].Events); documents < 0 {
			return // a part of a commit: it is in a transaction, and so none of it is there
		}
		a.settle(end + 1)
	}
}

// giveWay finds out who has taken the group's place: an earlier attempt of its
// own, or others, and then how far they have come. Both are read at the same time.
func (a *appending) giveWay(ctx context.Context) error {
	var beside sync.WaitGroup
	if a.rivals.met < a.next { // else they were met beside the insert
		beside.Go(func() { _ = a.meet(ctx) }) // what is not known is asked for by the Store
	}
	err := a.findArrived(ctx)
	beside.Wait()
	if seen := a.memory.position(); a.from < len(a.group) && seen >= a.next {
		a.outcomes[a.from].Seen = seen
	}
	return err
}

// findArrived looks whether an earlier attempt has brought what is at the front.
// If nothing else is said of the front, this has to be known: a place that is
// taken may have been taken by ourselves.
func (a *appending) findArrived(ctx context.Context) error {
	if id := a.frontID(); id == "" || a.absent == id {
		return nil
	}
	if err := a.lookForIDs(ctx, []string{a.frontID()}); err != nil {
		return err
	}
	if len(a.ids) == 0 {
		return nil
	}
	if err := a.look(ctx); err != nil {
		return err
	}
	a.settleArrived()
	return nil
}

// frontID is the id of the first event that is not settled.
func (a *appending) frontID() string {
	for _, c := range a.group[a.from:] {
		if len(c.Events) > 0 {
			return c.Events[0].ID
		}
	}
	return ""
}

// probeFront notes in absent whether the event in front is not in the store. It
// runs beside the insert. That is late enough: who asks whether an earlier
// attempt has arrived has seen its place taken before this call began.
func (a *appending) probeFront(ctx context.Context) {
	id := a.frontID()
	n, err := a.events.CountDocuments(ctx, bson.D{{Key: fieldID, Value: id}}, options.Count().SetHint(idIndex).SetLimit(1))
	if err == nil && n == 0 {
		a.absent = id
	}
}

// settleArrived marks the run of commits at the front that are in the store
// already, and tells whether there are any. Commits without events count as far
// as one that arrived stands behind them.
func (a *appending) settleArrived() bool {
	began := a.from
	for i := a.from; i < len(a.group); i++ {
		c := &a.group[i]
		if len(c.Events) == 0 {
			continue
		}
		position := a.arrived(c)
		if position == 0 {
			break
		}
		for ; a.from < i; a.from++ {
			a.outcomes[a.from] = eventstore.Outcome{State: eventstore.Written}
		}
		a.outcomes[i] = eventstore.Outcome{State: eventstore.Written, Position: position}
		a.memory.saw(c.Stream, c.Expected+int64(len(c.Events)))
		a.memory.reached(position + int64(len(c.Events)) - 1)
		a.from = i + 1
	}
	return a.from > began
}

// arrived returns where a commit stands in the store, as far as was looked, or 0.
func (a *appending) arrived(c *eventstore.Commit) int64 {
	if len(c.Events) == 0 {
		return 0
	}
	there := a.ids[c.Events[0].ID]
	if there.Stream != c.Stream || there.Version != c.Expected+1 {
		return 0
	}
	return there.Position
}

// record is what the key of a commit finds once its first event is at position.
func record(c *eventstore.Commit, position int64) eventstore.KeyRecord {
	n := int64(len(c.Events))
	return eventstore.KeyRecord{
		Key: c.Key, RequestHash: c.RequestHash, Result: c.Result,
		Stream: c.Stream, Version: c.Expected + n, Position: position + n - 1,
	}
}
