package mongodb

import (
	"context"
	"strconv"
	"sync"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"
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
func (a *appending) insertInOrder(ctx context.Context, documents []bson.Raw) result {
	waiting, answered := context.WithCancel(ctx)
	var watch sync.WaitGroup
	watch.Go(func() { a.freeWhile(waiting) })
	defer watch.Wait()
	defer answered()
	if err := a.send(ctx, documents); err != nil {
		return ofInsert(err)
	}
	return result{verdict: wroteAll}
}

// commandMax is how many bytes of documents go into one command; the server takes
// 16 MiB. A group comes near that only with results or views that are very large.
const commandMax = 8 << 20

// send has the server insert documents. The command is put together here: the
// driver's own way copies each document several times to see that it has an _id,
// and has it written as one that may be sent twice, for which the server keeps
// books. A group may be sent twice anyhow: its place sees to that.
func (a *appending) send(ctx context.Context, documents []bson.Raw) error {
	size := 0
	for _, document := range documents {
		size += len(document)
	}
	if size > commandMax {
		_, err := a.events.InsertMany(ctx, documents) // in several commands
		return err
	}
	return a.events.Database().RunCommand(ctx, insertCommand(a.events.Name(), documents, size)).Err()
}

// insertCommand words an ordered insert that is answered when a majority has it
// on disk.
func insertCommand(collection string, documents []bson.Raw, size int) bson.Raw {
	const perDocument, more = 8, 256 // bytes beside the documents' own
	start, b := bsoncore.AppendDocumentStart(make([]byte, 0, size+perDocument*len(documents)+more))
	b = bsoncore.AppendStringElement(b, "insert", collection)
	b = bsoncore.AppendBooleanElement(b, "ordered", true)
	concern, b := bsoncore.AppendDocumentElementStart(b, "writeConcern")
	b = bsoncore.AppendStringElement(b, "w", "majority")
	b = bsoncore.AppendBooleanElement(b, "j", true)
	b = endDocument(b, concern)
	array, b := bsoncore.AppendArrayElementStart(b, "documents")
	for i, document := range documents {
		b = bsoncore.AppendDocumentElement(b, strconv.Itoa(i), document)
	}
	b = endDocument(b, array)
	return endDocument(b, start)
}

// insertTogether writes documents in a transaction: all or none.
func (a *appending) insertTogether(ctx context.Context, documents []bson.Raw) result {
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
