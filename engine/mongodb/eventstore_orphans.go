package mongodb

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/mongo/readconcern"
	"go.mongodb.org/mongo-driver/v2/mongo/writeconcern"
)

// orphans sees to transactions that were begun and not ended. The server keeps
// one for a minute, and for as long nobody can write at the position that it
// holds: so a writer that dies between insert and commit would stop all others.
// Used by Append only.
type orphans struct {
	// doubtful are sessions of our own whose commit may or may not have happened.
	doubtful []*mongo.Session
	// left are ids of sessions of our own whose transaction could not be aborted.
	left []bson.Raw
	// since is when a transaction began to be in the way.
	since time.Time
	// warned: people were told that there may be orphans which we can not end.
	warned atomic.Bool
}

const (
	// orphanAge is for how long a transaction has done nothing before it counts
	// as an orphan, and for how long it has to be in the way before we look. One
	// whose writer only was slow is ended too: its commit then fails, in doubt as
	// by any failover, and its writer tries again.
	orphanAge = time.Second
	// endTimeout is how long ending one's own transaction may take, whatever the
	// deadline of the attempt was.
	endTimeout = 2 * time.Second
	// insertPatience is for how long an insert waits before people are told that an
	// orphan may be the reason: there are others, such as an election.
	insertPatience = 3 * orphanAge
	// commitsMax is how often a commit without an answer is sent at once.
	commitsMax = 3
)

func transactionSettings() *options.TransactionOptionsBuilder {
	journaled := true
	return options.Transaction().
		SetWriteConcern(&writeconcern.WriteConcern{W: "majority", Journal: &journaled}).
		SetReadConcern(readconcern.Majority())
}

// commit ends a transaction. If there is no answer, the session is kept, and the
// same commit sent again before anything else is written: until then it may hold
// the very place that is wanted.
func (o *orphans) commit(ctx context.Context, session *mongo.Session) error {
	err := session.CommitTransaction(ctx)
	for range commitsMax - 1 {
		if err == nil || !inDoubt(err) || ctx.Err() != nil {
			break
		}
		err = session.CommitTransaction(ctx)
	}
	if err != nil && inDoubt(err) {
		o.doubtful = append(o.doubtful, session)
		return err
	}
	session.EndSession(ctx)
	return err
}

// inDoubt tells whether it makes sense to send a commit again.
func inDoubt(err error) bool {
	failure, ok := errors.AsType[mongo.ServerError](err)
	return !ok || !answered(err) || failure.HasErrorLabel(labelUnknownCommit) && !failure.HasErrorCode(codeNoSuchTransaction)
}

// settle ends what earlier attempts have left open. An error leaves open what
// they have written.
func (o *orphans) settle(ctx context.Context, s *EventStore) error {
	for len(o.doubtful) > 0 {
		session := o.doubtful[0]
		if err := session.CommitTransaction(ctx); err != nil && inDoubt(err) {
			return err
		}
		// Committed, or never to be: the place tells.
		session.EndSession(ctx)
		o.doubtful = o.doubtful[1:]
	}
	if len(o.left) > 0 {
		if err := s.killSessions(ctx, o.left); err != nil {
			return notWritten(err)
		}
		o.left = nil
	}
	return nil
}

// abort ends a transaction whose insert has failed. Without an answer to that,
// the insert may still be on its way and begin the transaction after the abort.
func (o *orphans) abort(ctx context.Context, s *EventStore, session *mongo.Session, answered bool) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), endTimeout)
	defer cancel()
	id := session.ID()
	_ = session.AbortTransaction(ctx) // it never returns what went wrong
	session.EndSession(ctx)
	if !answered {
		if err := s.killSessions(ctx, []bson.Raw{id}); err != nil {
			o.left = append(o.left, id)
		}
	}
}

// endOwn ends what is open when the store is closed; the server would do it after
// a minute.
func (o *orphans) endOwn(ctx context.Context, s *EventStore) {
	for _, session := range o.doubtful {
		o.left = append(o.left, session.ID())
		session.EndSession(ctx)
	}
	o.doubtful = nil
	if len(o.left) > 0 {
		_ = s.killSessions(ctx, o.left) // nobody can be told, and nothing is lost
	}
}

// passed notes that nothing is in the way.
func (o *orphans) passed() { o.since = time.Time{} }

// blocked notes that a transaction is in the way, and looks for orphans if that
// has been so for long.
func (o *orphans) blocked(ctx context.Context, s *EventStore) {
	switch {
	case o.since.IsZero():
		o.since = time.Now()
	case time.Since(o.since) >= orphanAge:
		s.freeOrphans(ctx, true)
	}
}

// freeWhile looks for orphans as long as ctx lasts, once that is long.
func (s *EventStore) freeWhile(ctx context.Context) {
	began := time.Now()
	for pause := orphanAge; ; pause = orphanAge / 4 { // one may not be old enough yet
		select {
		case <-time.After(pause):
			s.freeOrphans(ctx, time.Since(began) >= insertPatience)
		case <-ctx.Done():
			return
		}
	}
}

// freeOrphans ends the transactions of passbook's processes on this database that
// have done nothing for a while. If it cannot, writers go on waiting, as they
// would have without it; and if that is for want of rights, people are told, once.
func (s *EventStore) freeOrphans(ctx context.Context, warn bool) {
	sessions, err := s.idleTransactions(ctx, false)
	if err == nil && len(sessions) == 0 && s.hasUser {
		// Some process may have another user. Its sessions are not for everybody.
		sessions, err = s.idleTransactions(ctx, true)
	}
	if err == nil && len(sessions) > 0 {
		err = s.killSessions(ctx, sessions)
	}
	if warn && codeOf(err) == codeUnauthorized && s.orphans.warned.CompareAndSwap(false, true) {
		s.logger.Warn("appends wait, perhaps for a transaction that another database user's process has left open, and this user "+
			"may not look or end it (the server does, after a minute): use one user for all processes, or grant this one "+
			"the actions inprog and killAnySession on the cluster", "database", s.events.Database().Name())
	}
}

// idleTransactions returns the sessions of transactions that wait for their
// client: this user's, or those of all users, by name. The name of the application
// tells ours from others'.
func (s *EventStore) idleTransactions(ctx context.Context, ofAll bool) ([]bson.Raw, error) {
	operations := bson.D{{Key: "idleSessions", Value: true}}
	session := bson.D{{Key: "id", Value: "$lsid.id"}}
	if ofAll {
		operations = append(operations, bson.E{Key: "allUsers", Value: true})
		session = append(session, bson.E{Key: "uid", Value: "$lsid.uid"})
	}
	cursor, err := s.operations.Aggregate(ctx, mongo.Pipeline{
		{{Key: "$currentOp", Value: operations}},
		{{Key: "$match", Value: bson.D{
			{Key: "appName", Value: s.application},
			{Key: "active", Value: false},
			{Key: "transaction.timeInactiveMicros", Value: bson.D{{Key: "$gte", Value: orphanAge.Microseconds()}}},
		}}},
		{{Key: "$project", Value: session}},
	})
	if err != nil {
		return nil, err
	}
	var found []bson.Raw
	if err := cursor.All(ctx, &found); err != nil {
		return nil, err
	}
	return found, nil
}

// killSessions ends sessions, and with them their transactions. A user may do
// that to sessions of his own, which are named by id alone, without any right.
func (s *EventStore) killSessions(ctx context.Context, sessions []bson.Raw) error {
	return s.operations.RunCommand(ctx, bson.D{{Key: "killSessions", Value: sessions}}).Err()
}
