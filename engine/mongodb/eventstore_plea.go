package mongodb

import (
	"context"
	"errors"
	"sync"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/mongo/readconcern"
	"go.mongodb.org/mongo-driver/v2/mongo/writeconcern"
)

// pleas make losers heard. A writer that wins every race does not know that there
// is one, so it never pauses; and where an attempt takes as long as a network is
// slow, two writers fall into step, and the same one loses for as long as there is
// load. So a writer that has lost several times in a row leaves a plea in the
// database, and one that has not met anybody looks for a new one now and then,
// beside an insert, and counts that as a collision. Nothing rests on it: what is
// lost or late costs another round. Used by Append only.
type pleas struct {
	collection *mongo.Collection
	// looked and said are when this writer did that last.
	looked, said time.Time
	// heard is the number of the last plea that was seen; unheard before the first
	// look, which cannot tell a new one from an old one.
	heard int64
}

const (
	pleaID       = "append: let others have their turn"
	pleaInterval = 250 * time.Millisecond
	// pleaLosses is how many races in a row are bad luck.
	pleaLosses = 3
	unheard    = -1
)

// newPleas keeps them beside the leases. They need not survive anything.
func newPleas(db *mongo.Database) pleas {
	return pleas{heard: unheard, collection: db.Collection(leaseCollection, options.Collection().
		SetWriteConcern(writeconcern.W1()).SetReadConcern(readconcern.Local()))}
}

// beside says or hears what there is, in time for the next group. Errors count
// for silence.
func (p *pleas) beside(ctx context.Context, all *sync.WaitGroup, y *yielding) {
	now := time.Now()
	switch lost, contended := y.state(); {
	case lost >= pleaLosses:
		if now.Sub(p.said) >= pleaInterval {
			p.said = now
			all.Go(func() { p.say(ctx) })
		}
	case !contended:
		if now.Sub(p.looked) >= pleaInterval {
			p.looked = now
			all.Go(func() { p.hear(ctx, y) })
		}
	}
}

func (p *pleas) say(ctx context.Context) {
	_, _ = p.collection.UpdateByID(ctx, pleaID,
		bson.D{{Key: "$inc", Value: bson.D{{Key: "pleas", Value: int64(1)}}}}, options.UpdateOne().SetUpsert(true))
}

func (p *pleas) hear(ctx context.Context, y *yielding) {
	var plea struct {
		Number int64 `bson:"pleas"`
	}
	err := p.collection.FindOne(ctx, bson.D{{Key: "_id", Value: pleaID}}).Decode(&plea)
	if err != nil && !errors.Is(err, mongo.ErrNoDocuments) {
		return
	}
	if p.heard != unheard && plea.Number > p.heard {
		y.asked()
	}
	p.heard = plea.Number
}
