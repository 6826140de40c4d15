package mongodb

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"passbook/es/eventstore"
)

// A duplicate is proof of what stands there only if the answer has waited for a
// majority, whichever way the insert was sent.
func TestOfInsert(t *testing.T) {
	t.Parallel()
	raw, err := bson.Marshal(bson.D{{Key: "keyPattern", Value: bson.D{{Key: fieldPosition, Value: 1}}}})
	require.NoError(t, err)
	duplicate := mongo.WriteError{Index: 3, Code: codeDuplicateKey, Raw: raw}
	other := mongo.WriteError{Index: 3, Code: 11602} // interrupted by a change of state
	noMajority := &mongo.WriteConcernError{Code: 64}
	for name, c := range map[string]struct {
		write   []mongo.WriteError
		concern *mongo.WriteConcernError
		want    verdict
	}{
		"duplicate":         {[]mongo.WriteError{duplicate}, nil, placeTaken},
		"without majority":  {[]mongo.WriteError{duplicate}, noMajority, unanswered},
		"only that":         {nil, noMajority, unanswered},
		"another":           {[]mongo.WriteError{other}, nil, unanswered},
		"nothing is listed": {nil, nil, unanswered},
	} {
		bulk := mongo.BulkWriteException{WriteConcernError: c.concern}
		for _, w := range c.write {
			bulk.WriteErrors = append(bulk.WriteErrors, mongo.BulkWriteError{WriteError: w})
		}
		for _, failure := range []error{mongo.WriteException{WriteErrors: c.write, WriteConcernError: c.concern}, bulk} {
			r := ofInsert(failure)
			require.Equal(t, c.want, r.verdict, "%s: %T", name, failure)
			if c.want == placeTaken {
				require.Equal(t, 3, r.documents, name)
				continue
			}
			require.Equal(t, failure, r.err, name)
			require.NotErrorIs(t, r.err, eventstore.ErrNotWritten, name)
		}
	}
	r := ofInsert(errors.New("connection reset"))
	require.Equal(t, unanswered, r.verdict)
	require.NotErrorIs(t, r.err, eventstore.ErrNotWritten)
}
