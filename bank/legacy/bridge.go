package legacy

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"sync"
	"time"

	"passbook/bank/events"
	"passbook/es/bus"
	"passbook/es/checkpoint"
	"passbook/es/event"
)

// Group is that of the original's query service.
const Group = "bankaccConsumer"

// ErrOtherHistory: the topics were fed from another history of the store. What
// the original's read database holds of it cannot be taken back from here: it
// has to be emptied, and the four topics deleted.
var ErrOtherHistory = errors.New("the topics of the Java system were fed from another history of the store")

// Store is what the bridge reads; *eventstore.Store is one.
type Store interface {
	ReadAll(ctx context.Context, after int64) iter.Seq2[event.Envelope, error]
	Await(ctx context.Context, after int64) error
	Head(ctx context.Context) (int64, error)
	History() string
}

// Cluster is what the bridge needs of Kafka; see the Foreign topics of
// engine/kafka for what the methods promise.
type Cluster interface {
	// Open returns the topics of the original, and makes those that are missing.
	Open(ctx context.Context) ([]bus.Topic, error)
	// Bounds returns first and end offset of each partition of a topic.
	Bounds(ctx context.Context, topic bus.Topic) ([]bus.Bounds, error)
	// Read yields the records of a partition with from <= offset < end.
	Read(ctx context.Context, topic bus.Topic, partition int32, from, end int64) iter.Seq2[bus.Record, error]
	// Committed returns the offset behind what a group has dealt with, by topic
	// and partition, and whether there is such a group for the topics.
	Committed(ctx context.Context, group string) (offsets map[string][]int64, known bool, err error)
	// Producer returns a producer; after an error of one, another is asked for.
	Producer() (Producer, error)
}

// Producer publishes single records; several may be under way at the same time.
type Producer interface {
	// Publish returns the place of a record once it is durable. With an error it
	// may have arrived or not.
	Publish(ctx context.Context, topic string, m bus.Message) (partition int32, offset int64, err error)
	// Close ends the producer.
	Close()
}

// Config has the settings of a Bridge; the zero value of a member stands for its
// default.
type Config struct {
	// Holder tells apart those who want the bridge's lease. Default: random.
	Holder string
	// LeaseDuration is how long others wait for a bridge that died. Default 10 s.
	LeaseDuration time.Duration
	// PageEvents is how many events are dealt with together; one of each account
	// is under way at a time. Default 256.
	PageEvents int
	// GroupInterval is how often it is looked how far the original's query
	// service has come, while a record waits for it. Default 20 ms.
	GroupInterval time.Duration
	// Logger gets a line when the bridge stops for a reason, and when it goes on.
	// Default: slog.Default().
	Logger *slog.Logger
}

// Bridge feeds the original's topics. Any number may run for one store and one
// cluster, in any number of processes: one of them publishes, the others wait
// for its lease. Status and Lag are safe for concurrent use with Run.
type Bridge struct {
	store       Store
	cluster     Cluster
	checkpoints checkpoint.Store
	config      Config
	codec       *event.Codec

	mu     sync.Mutex
	status Status
}

// Status is what others may know of a bridge.
type Status struct {
	// Position: all events up to it are in the topics, or were there before.
	// While another bridge has the lease, it is what that one saved last.
	Position int64
	// Published counts records of this process, Skipped events that it found in
	// the topics already.
	Published, Skipped int64
	// GroupKnown: the original's query service is there, and is waited for.
	GroupKnown bool
	// Waiting: another bridge has the lease.
	Waiting bool
	// Err is what keeps the bridge from going on; nil while it does.
	Err error
}

// New returns a bridge from store to cluster, whose progress is kept in
// checkpoints.
func New(store Store, cluster Cluster, checkpoints checkpoint.Store, config Config) (*Bridge, error) {
	known, err := events.Codec()
	if err != nil {
		return nil, fmt.Errorf("legacy: %w", err)
	}
	config.Holder = cmp.Or(config.Holder, event.NewID())
	config.LeaseDuration = cmp.Or(config.LeaseDuration, 10*time.Second)
	config.PageEvents = cmp.Or(config.PageEvents, 256)
	config.GroupInterval = cmp.Or(config.GroupInterval, 20*time.Millisecond)
	if config.Logger == nil {
		config.Logger = slog.Default()
	}
	return &Bridge{store: store, cluster: cluster, checkpoints: checkpoints, config: config, codec: known}, nil
}

// lease names the bridge's lease and its progress.
const lease = "legacy-topics"

const retryMin, retryMax = 50 * time.Millisecond, 5 * time.Second

// Run feeds the topics until ctx ends. Whatever fails is tried again: from the
// topics' own content, so that what did arrive is not published twice.
func (b *Bridge) Run(ctx context.Context) error {
	for pause := retryMin; ctx.Err() == nil; pause = min(2*pause, retryMax) {
		if b.feed(ctx) {
			pause = retryMin
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
	return nil
}

// feed feeds the topics under the lease until that ends, and tells whether it got
// any further.
func (b *Bridge) feed(ctx context.Context) bool {
	before := b.Status().Position
	err := checkpoint.Hold(ctx, b.checkpoints, lease, b.config.Holder, b.config.LeaseDuration, b.lap)
	if ctx.Err() != nil {
		return false
	}
	if errors.Is(err, checkpoint.ErrHeld) {
		b.watch(ctx)
	}
	b.trouble(err)
	return b.Status().Position > before
}

// watch learns from the checkpoint how far the bridge is that has the lease.
func (b *Bridge) watch(ctx context.Context) {
	saved, err := b.checkpoints.Load(ctx, lease)
	if err == nil && len(saved) > 0 && saved[0].History == b.store.History() {
		b.note(func(s *Status) { s.Position = saved[0].Confirmed })
	}
}

// Status returns what is known of this bridge.
func (b *Bridge) Status() Status {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.status
}

// Lag is how many events of the store are not known to be in the topics.
func (b *Bridge) Lag(ctx context.Context) (int64, error) {
	head, err := b.store.Head(ctx)
	if err != nil {
		return 0, fmt.Errorf("head of the event store: %w", err)
	}
	return head - b.Status().Position, nil
}

func (b *Bridge) note(change func(s *Status)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	change(&b.status)
}

// trouble remembers why the bridge does not go on, and logs what is news.
func (b *Bridge) trouble(err error) {
	var news bool
	b.note(func(s *Status) {
		waiting := errors.Is(err, checkpoint.ErrHeld)
		news = !waiting && (s.Err == nil || err == nil || s.Err.Error() != err.Error())
		s.Waiting, s.Err = waiting, err
		if waiting {
			s.Err = nil
		}
	})
	if news {
		b.config.Logger.Error("the topics of the Java system are not fed", "error", err)
	}
}

// going says that what was wrong is over.
func (b *Bridge) going() {
	var was error
	b.note(func(s *Status) { was, s.Err, s.Waiting = s.Err, nil, false })
	if was != nil {
		b.config.Logger.Info("the topics of the Java system are fed again")
	}
}
