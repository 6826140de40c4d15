package bus

import (
	"context"
	"errors"
)

// ErrNoTopic: there is no topic of that name.
var ErrNoTopic = errors.New("there is no such topic")

// Topics are the topics of a broker by name, for those who need another one
// than the feed, or the feed without the right to create it. Safe for
// concurrent use.
type Topics interface {
	// Topic returns the topic of a name. Its Open creates it, as settings say,
	// where there is none, and checks one that exists against them; its other
	// methods create nothing, and take what Find returned as well as what Open
	// did. No broker is called here.
	Topic(name string, settings TopicSettings) Feed
	// Find returns the topic of that name, or ErrNoTopic. It creates nothing.
	Find(ctx context.Context, name string) (Topic, error)
	// List returns the topics whose names begin with prefix, by name. One that
	// was made or deleted a moment ago may be left out or listed.
	List(ctx context.Context, prefix string) ([]Topic, error)
	// Delete deletes this life of a topic; one that is gone already is no
	// error, and one that was made under its name since is left alone. It may
	// be seen for a moment still.
	Delete(ctx context.Context, topic Topic) error
}

// TopicSettings say what a topic keeps. No record is ever deleted for its age
// or for want of room.
type TopicSettings struct {
	// Partitions is how many a topic gets that is created; 0 stands for 1. One
	// that exists keeps its own.
	Partitions int32
	// Compacted: only the last record of each key is sure to be kept, at its
	// offset, and a record with a nil Value takes its key away, itself
	// included after a day or so. Offsets may skip numbers then.
	Compacted bool
}
