package projection

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"passbook/es/bus"
	"passbook/es/checkpoint"
)

// Projection keeps a Model up to date with a topic. It is a bus.Consumer. Its
// methods are safe for concurrent use, as far as bus.Consumer says for its own.
//
// Any number of Projections of one name, in one process or in several, may
// share a Store: whichever has a partition, and whatever the bus believes about
// that, a transaction goes in only on top of the checkpoint that its member
// knows.
type Projection[Tx any] struct {
	name   string
	store  Store[Tx]
	model  Model[Tx]
	config Config

	waiters waiters
	// sweep holds one element while parked streams are to be tried again.
	sweep chan struct{}

	mu         sync.Mutex
	partitions map[int32]*partition
	counts     Counts
	sweepErr   error
}

var _ bus.Consumer = (*Projection[any])(nil)

// partition is what this member knows of one that was assigned to it. But for
// status, which Projection.mu guards, it belongs to the goroutine that calls
// Consume for the partition.
type partition struct {
	number int32
	topic  bus.Topic
	bounds bus.Bounds
	// believed is the checkpoint as this member last saw or wrote it. A
	// transaction that finds another one is not on top of what is known here.
	believed checkpoint.Progress
	// read is the offset of the next record to take. It runs ahead of
	// believed.Next over records that are no events, and starts one before it
	// where that record is still to be recognised.
	read int64
	// verify: the next record has to be the one that the checkpoint names.
	verify bool
	// ready: the last Assign has found a place to read from.
	ready  bool
	status PartitionStatus
}

// New returns a projection into model. The name is that of the consumer: of the
// checkpoints and parked streams in the store, and of the group on the bus.
func New[Tx any](name string, store Store[Tx], model Model[Tx], config Config) (*Projection[Tx], error) {
	config.setDefaults()
	if err := config.validate(); err != nil {
		return nil, err
	}
	if name == "" {
		return nil, errors.New("projection: it has no name: want that of the consumer")
	}
	return &Projection[Tx]{
		name: name, store: store, model: model, config: config,
		waiters:    waiters{limit: config.WaitersMax, lead: make(chan struct{}, 1)},
		sweep:      make(chan struct{}, 1),
		partitions: make(map[int32]*partition),
	}, nil
}

// Name returns the consumer's name.
func (p *Projection[Tx]) Name() string { return p.name }

// Run consumes the subscriber's topic until ctx ends, and tries parked streams
// again whenever a partition is assigned. It returns the subscriber's error,
// nil after ctx has ended.
func (p *Projection[Tx]) Run(ctx context.Context) error {
	if p.config.Subscriber == nil {
		return fmt.Errorf("projection %s: Run needs Config.Subscriber", p.name)
	}
	ctx, cancel := context.WithCancel(ctx)
	var sweeper sync.WaitGroup
	sweeper.Go(func() { p.sweepLoop(ctx) })
	defer sweeper.Wait()
	defer cancel()
	return p.config.Subscriber.Run(ctx, p.name, newGathering(p))
}

// assigned returns what is known of the partition of a run.
func (p *Projection[Tx]) assigned(run bus.Run) (*partition, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	part, ok := p.partitions[run.Partition]
	switch {
	case !ok || !part.ready:
		return nil, fmt.Errorf("projection %s: partition %d is not assigned", p.name, run.Partition)
	case part.topic.ID != run.Topic.ID:
		return nil, fmt.Errorf("projection %s: partition %d was assigned for topic id %s, and records are of topic id %s",
			p.name, run.Partition, part.topic.ID, run.Topic.ID)
	}
	return part, nil
}
