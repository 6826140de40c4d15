package replay_test

import (
	"context"
	"errors"
	"iter"
	"sync"
	"time"

	"passbook/engine/memory"
	"passbook/es/bus"
	"passbook/es/checkpoint"
	"passbook/es/event"
	"passbook/es/projection"
	"passbook/es/replay"
)

var errBroken = errors.New("broken")

// fate decides over each operation of a process: before it, when an error keeps
// it from happening; within, where that is a transaction, which is rolled back
// then; after, when an error keeps it from being known.
type fate struct {
	mu     sync.Mutex
	decide func(op, when string) error
}

func (f *fate) ask(op, when string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.decide(op, when)
}

// at lets the count-th operation fail once, or, if it is deadly, everything from
// then on.
func at(count int, when string, deadly bool) *accident {
	a := &accident{}
	a.fate = &fate{decide: func(op, moment string) error {
		if moment == "before" {
			a.seen++
		}
		if a.hit != "" && deadly {
			return errBroken
		}
		if a.hit == "" && a.seen == count && moment == when {
			a.hit = op
			return errBroken
		}
		return nil
	}}
	return a
}

// accident is what comes of it.
type accident struct {
	*fate
	seen int    // operations
	hit  string // the one that failed, "" for none
}

func act[T any](f *fate, op string, do func() (T, error)) (T, error) {
	var none T
	if err := f.ask(op, "before"); err != nil {
		return none, err
	}
	result, err := do()
	if err == nil {
		err = f.ask(op, "after")
	}
	if err != nil {
		return none, err
	}
	return result, nil
}

func do(f *fate, op string, what func() error) error {
	_, err := act(f, op, func() (struct{}, error) { return struct{}{}, what() })
	return err
}

// mortal puts a process's whole world under a fate.
func (w *world) mortal(f *fate) *process {
	return &process{
		source: mortalSource{f, w.store}, topics: mortalTopics{f, w.topics},
		checkpoints: mortalLeases{f, w.checkpoints}, leases: mortalLeases{f, w.read.Leases()},
		lines: mortalLines{mortalStore{w.read, f, ""}, f, w.read}, holder: "a",
	}
}

type mortalSource struct {
	*fate
	replay.Source
}

func (s mortalSource) Head(ctx context.Context) (int64, error) {
	return act(s.fate, "head", func() (int64, error) { return s.Source.Head(ctx) })
}

func (s mortalSource) ReadAll(ctx context.Context, after int64) iter.Seq2[event.Envelope, error] {
	return func(yield func(event.Envelope, error) bool) {
		for e, err := range s.Source.ReadAll(ctx, after) {
			if err == nil {
				err = do(s.fate, "read the store", func() error { return nil })
			}
			if !yield(e, err) || err != nil {
				return
			}
		}
	}
}

type mortalTopics struct {
	*fate
	topics bus.Topics
}

func (t mortalTopics) Topic(name string, settings bus.TopicSettings) bus.Feed {
	return mortalFeed{t.fate, t.topics.Topic(name, settings)}
}

func (t mortalTopics) Find(ctx context.Context, name string) (bus.Topic, error) {
	return act(t.fate, "find topic", func() (bus.Topic, error) { return t.topics.Find(ctx, name) })
}

func (t mortalTopics) List(ctx context.Context, prefix string) ([]bus.Topic, error) {
	return act(t.fate, "list topics", func() ([]bus.Topic, error) { return t.topics.List(ctx, prefix) })
}

func (t mortalTopics) Delete(ctx context.Context, topic bus.Topic) error {
	return do(t.fate, "delete topic", func() error { return t.topics.Delete(ctx, topic) })
}

type mortalFeed struct {
	*fate
	feed bus.Feed
}

func (f mortalFeed) Open(ctx context.Context) (bus.Topic, error) {
	return act(f.fate, "open topic", func() (bus.Topic, error) { return f.feed.Open(ctx) })
}

func (f mortalFeed) Bounds(ctx context.Context, topic bus.Topic) ([]bus.Bounds, error) {
	return act(f.fate, "bounds", func() ([]bus.Bounds, error) { return f.feed.Bounds(ctx, topic) })
}

func (f mortalFeed) Read(ctx context.Context, topic bus.Topic, p int32, from, end int64) iter.Seq2[bus.Record, error] {
	return func(yield func(bus.Record, error) bool) {
		if err := do(f.fate, "read topic", func() error { return nil }); err != nil {
			yield(bus.Record{}, err)
			return
		}
		for record, err := range f.feed.Read(ctx, topic, p, from, end) {
			if !yield(record, err) || err != nil {
				return
			}
		}
	}
}

func (f mortalFeed) Producer(ctx context.Context, topic bus.Topic) (bus.Producer, error) {
	p, err := act(f.fate, "producer", func() (bus.Producer, error) { return f.feed.Producer(ctx, topic) })
	if err != nil {
		return nil, err
	}
	return mortalProducer{f.fate, p}, nil
}

type mortalProducer struct {
	*fate
	bus.Producer
}

func (p mortalProducer) Publish(ctx context.Context, records []bus.Placed) ([]int64, error) {
	return act(p.fate, "publish", func() ([]int64, error) { return p.Producer.Publish(ctx, records) })
}

type mortalLeases struct {
	*fate
	checkpoint.Store
}

func (l mortalLeases) Acquire(ctx context.Context, name, holder string, d time.Duration) (checkpoint.Lease, error) {
	return act(l.fate, "acquire", func() (checkpoint.Lease, error) { return l.Store.Acquire(ctx, name, holder, d) })
}

func (l mortalLeases) Renew(ctx context.Context, lease checkpoint.Lease, d time.Duration) error {
	return do(l.fate, "renew", func() error { return l.Store.Renew(ctx, lease, d) })
}

func (l mortalLeases) Release(ctx context.Context, lease checkpoint.Lease) error {
	return do(l.fate, "release", func() error { return l.Store.Release(ctx, lease) })
}

// tx is short for the memory engine's transaction.
type tx = *memory.ProjectionTx

type mortalStore struct {
	projection.Store[tx]
	fate *fate
	of   string
}

func (s mortalStore) Update(ctx context.Context, fn func(tx tx) error) error {
	return do(s.fate, s.of+"update", func() error {
		return s.Store.Update(ctx, func(tx tx) error {
			if err := fn(tx); err != nil {
				return err
			}
			return s.fate.ask(s.of+"update", "within")
		})
	})
}

func (s mortalStore) View(ctx context.Context, fn func(tx tx) error) error {
	return do(s.fate, s.of+"view", func() error { return s.Store.View(ctx, fn) })
}

type mortalLines struct {
	mortalStore
	fate  *fate
	lines *memory.ProjectionStore
}

func (l mortalLines) Next() projection.Store[tx] { return mortalStore{l.lines.Next(), l.fate, "next "} }

func (l mortalLines) Line(ctx context.Context, tx tx) (live, next string, err error) {
	return l.lines.Line(ctx, tx)
}

func (l mortalLines) Begin(
	ctx context.Context, id string, tables []string, create func(ctx context.Context, tx tx, next map[string]string) error,
) error {
	return do(l.fate, "begin", func() error {
		return l.lines.Begin(ctx, id, tables, func(ctx context.Context, tx tx, next map[string]string) error {
			if err := create(ctx, tx, next); err != nil {
				return err
			}
			return l.fate.ask("begin", "within")
		})
	})
}

func (l mortalLines) Swap(
	ctx context.Context, id string, tables []string, check func(ctx context.Context, tx tx) error,
) error {
	return do(l.fate, "swap", func() error {
		return l.lines.Swap(ctx, id, tables, func(ctx context.Context, tx tx) error {
			if err := check(ctx, tx); err != nil {
				return err
			}
			return l.fate.ask("swap", "within")
		})
	})
}

func (l mortalLines) Drop(ctx context.Context, id string, tables []string) error {
	return do(l.fate, "drop", func() error { return l.lines.Drop(ctx, id, tables) })
}
