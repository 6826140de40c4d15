package mongodb

import (
	"context"
	"sync"
	"time"

	"go.mongodb.org/mongo-driver/v2/mongo"
)

// insert writes the documents of a judgement.
func (a *appending) insert(ctx context.Context, j judgement) result {
	began := time.Now()
	var r result
	var beside sync.WaitGroup
	if a.yield.contended() {
		// It will probably collide, and then both of these have to be known.
		beside.Go(func() { a.probeFront(ctx) })
		beside.Go(func() { _ = a.meet(ctx) }) // after a collision it is asked for again
	}
	a.pleas.beside(ctx, &beside, &a.yield)
	if j.together {
		r = a.insertTogether(ctx, j.documents)
	} else {
		r = a.insertInOrder(ctx, j.documents)
	}
	beside.Wait()
	switch r.verdict {
	case wroteAll:
		r.documents = len(j.documents)
		a.yield.wrote(time.Since(began))
		a.orphans.passed()
	case placeTaken:
		a.yield.collided()
		a.orphans.passed()
	case blocked:
		a.orphans.blocked(ctx, a.EventStore)
	case nameTaken, refusedDocument, unanswered:
	}
	return r
}

// insertInOrder writes documents one by one: those before the first that fails
// stay. Each is a commit by itself.
//
// An insert that meets a transaction's document waits until that has ended. If
// it takes long, nobody may be going to end it.
func (a *appending) insertInOrder(ctx context.Context, documents []any) result {
	waiting, answered := context.WithCancel(ctx)
	var watch sync.WaitGroup
	watch.Go(func() { a.freeWhile(waiting) })
	defer watch.Wait()
	defer answered()
	if _, err := a.events.InsertMany(ctx, documents); err != nil {
		return ofInsert(err)
	}
	return result{verdict: wroteAll}
}

// insertTogether writes documents in a transaction: all or none.
func (a *appending) insertTogether(ctx context.Context, documents []any) result {
	session, err := a.client.StartSession()
	if err != nil {
		return result{err: notWritten(err)}
	}
	if err := session.StartTransaction(transactionSettings()); err != nil {
		session.EndSession(ctx)
		return result{err: notWritten(err)}
	}
	_, err = a.events.InsertMany(mongo.NewSessionContext(ctx, session), documents)
	if err != nil {
		a.orphans.abort(ctx, a.EventStore, session, answered(err))
		return ofTransaction(err)
	}
	if err := a.orphans.commit(ctx, session); err != nil {
		return result{err: err}
	}
	return result{verdict: wroteAll}
}
