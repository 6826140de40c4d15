package mongodb

import (
	"errors"
	"fmt"

	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/x/mongo/driver/topology"
)

// verdict is what an attempt at inserting has come to.
type verdict int

const (
	// unanswered: there is an error; see its text for what it proves.
	unanswered verdict = iota
	wroteAll
	// placeTaken: a position is taken; nothing behind it was written.
	placeTaken
	// nameTaken: the version of a stream, a key or an event id is taken.
	nameTaken
	// blocked: a transaction that is not committed holds a place or a name.
	blocked
	// refusedDocument: the server does not take the document.
	refusedDocument
)

// result is a verdict, and how many documents, from the front, are durable.
type result struct {
	verdict   verdict
	documents int
	// index is the document that was refused, and reason why.
	index  int
	reason string
	err    error
}

// Codes of the server.
const (
	codeDuplicateKey      = 11000
	codeWriteConflict     = 112
	codeNoSuchTransaction = 251
)

// labelUnknownCommit is on an answer to a commit that does not tell its outcome.
const labelUnknownCommit = "UnknownTransactionCommitResult"

// codeOfDocument: answers that a document gets whenever it is sent: too
// large, nested too deep, not what a validator wants.
func codeOfDocument(code int) bool {
	switch code {
	case 2, 15, 121, 10334, 17280, 17419:
		return true
	}
	return false
}

// ofInsert says what the error of an insert without a transaction proves. A
// write error alone has waited until what it collided with, and the documents
// before it, are on a majority. Beside a write concern error it has not.
func ofInsert(err error) result {
	if first, concern, ok := writeErrorOf(err); ok {
		if r := ofWriteError(first); !concern && r.verdict != unanswered {
			r.documents, r.index = first.Index, first.Index
			return r
		}
		return result{err: err}
	}
	if neverSent(err) {
		err = notWritten(err)
	}
	return result{err: err}
}

// writeErrorOf returns the first write error of an insert, the zero one if there is
// none, and whether a write concern error stands beside it; ok is false for an
// error of another kind. It is another type for a command than for the driver's own
// way of inserting.
func writeErrorOf(err error) (first mongo.WriteError, concern, ok bool) {
	if failure, ok := errors.AsType[mongo.WriteException](err); ok {
		if len(failure.WriteErrors) > 0 {
			first = failure.WriteErrors[0]
		}
		return first, failure.WriteConcernError != nil, true
	}
	if failure, ok := errors.AsType[mongo.BulkWriteException](err); ok {
		if len(failure.WriteErrors) > 0 {
			first = failure.WriteErrors[0].WriteError
		}
		return first, failure.WriteConcernError != nil, true
	}
	return first, false, false
}

func ofWriteError(w mongo.WriteError) result {
	switch {
	case w.Code == codeDuplicateKey:
		if _, err := w.Raw.LookupErr("keyPattern", fieldPosition); err == nil {
			return result{verdict: placeTaken}
		}
		return result{verdict: nameTaken}
	case codeOfDocument(w.Code):
		return result{verdict: refusedDocument, reason: fmt.Sprintf("the database does not take the event: code %d", w.Code)}
	}
	return result{}
}

// neverSent: there was nobody to send to. The driver returns this only if it has
// not sent the command before: else it returns what became of that.
func neverSent(err error) bool {
	_, ok := errors.AsType[topology.ServerSelectionError](err)
	return ok
}

// ofTransaction says what the error of an insert within a transaction means. As
// the commit was not sent, nothing was written and nothing will be.
func ofTransaction(err error) result {
	if first, _, ok := writeErrorOf(err); ok {
		r := ofWriteError(first)
		if first.Code == codeWriteConflict {
			r.verdict = blocked
		}
		r.index = first.Index
		if r.verdict != unanswered {
			return r
		}
	}
	if failure, ok := errors.AsType[mongo.CommandError](err); ok && failure.Code == codeWriteConflict {
		return result{verdict: blocked}
	}
	return result{err: notWritten(err)}
}

// answered tells whether the server has said something about the command, so that
// it is not still on its way there.
func answered(err error) bool {
	failure, ok := errors.AsType[mongo.ServerError](err)
	return ok && !mongo.IsNetworkError(err) && !mongo.IsTimeout(err) && !failure.HasErrorLabel("NetworkError")
}
