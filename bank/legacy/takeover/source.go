package takeover

import (
	"context"
	"errors"
	"fmt"
	"hash"
	"iter"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// Source is the event store that is taken over.
type Source interface {
	// Documents yields every document as its BSON bytes, ascending by _id, and
	// ends behind the first error. The bytes are read before the next ones are
	// asked for. It is called several times, and the documents must be the same
	// each time, or nothing is taken over.
	Documents(ctx context.Context) iter.Seq2[[]byte, error]
}

// Errors of a source.
var (
	// ErrOwnStore: the source is an event store of passbook.
	ErrOwnStore = errors.New("this is an event store of passbook itself, whose _id are positions: " +
		"use passbook export FILE there, and passbook import --from FILE here")
	// ErrNoEvents: there is nothing to take over.
	ErrNoEvents = errors.New("there are no events: is it the right database? the Java system's is bankAccount")
	// ErrChanged: somebody writes to the source meanwhile. What is in the target
	// by then may be of neither state.
	ErrChanged = errors.New("the source was changed while it was read")
)

// records reads a source once, and adds its bytes to a sum.
func records(ctx context.Context, source Source, sum hash.Hash) iter.Seq2[*record, error] {
	return func(yield func(*record, error) bool) {
		first := true
		for document, err := range source.Documents(ctx) {
			if err == nil && first && bson.Raw(document).Lookup("_id").Type == bson.TypeInt64 {
				err = ErrOwnStore
			}
			first = false
			if err != nil {
				yield(nil, fmt.Errorf("read the source: %w", err))
				return
			}
			_, _ = sum.Write(document) // a hash never fails
			if !yield(read(document), nil) {
				return
			}
		}
	}
}
