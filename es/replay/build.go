package replay

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"passbook/es/bus"
	"passbook/es/checkpoint"
	"passbook/es/projection"
)

// build is one attempt at a line, from Begin to Swap.
type build[Tx any] struct {
	*Builder[Tx]
	restore *entry
	lease   *held
	line    string
	names   map[string]string // of the model's tables, in the next line
	numbers

	// replay takes the replay, live what comes behind it, into the same tables.
	replay, live *projection.Projection[Tx]
	model        projection.Model[Tx]
	tallies      []*tally
	seals        []*seal
	step         Step
	toldAt       time.Time
}

// numbers are those of a restore that only its builder knows.
type numbers struct{ events, differences, parked int64 }

// run builds the line and swaps it in.
func (n *build[Tx]) run(ctx context.Context) error {
	for _, step := range []struct {
		step Step
		do   func(ctx context.Context) error
	}{
		{StepReplaying, n.begin},
		{StepReplaying, n.readReplay},
		{StepChecking, n.audit},
		{StepCatchingUp, n.readLive},
	} {
		if err := n.enter(ctx, step.step); err != nil {
			return err
		}
		if err := step.do(ctx); err != nil {
			return err
		}
	}
	return nil
}

// begin makes the tables of the line, and writes down in them where it begins.
func (n *build[Tx]) begin(ctx context.Context) error {
	lines := n.config.Lines
	err := lines.Begin(ctx, n.line, n.config.Tables, func(ctx context.Context, tx Tx, next map[string]string) error {
		n.names = next
		return n.config.Create(ctx, tx, next)
	})
	if err != nil {
		return fmt.Errorf("begin line %s: %w", n.line, err)
	}
	model, err := n.config.Model(n.names)
	if err != nil {
		return finalf("model of the new line: %w", err)
	}
	n.model = model
	next := nextStore[Tx]{Store: lines.Next(), lines: lines, id: n.line}
	config := projection.Config{RunMax: n.config.RunMax, DrainMax: n.config.RunMax, Logger: n.config.Logger.With("line", n.line)}
	if n.replay, err = projection.New(n.config.Consumer, replayStore[Tx]{next}, model, config); err != nil {
		return err
	}
	if n.live, err = projection.New[Tx](n.config.Consumer, next, model, config); err != nil {
		return err
	}
	for _, from := range n.restore.published.From {
		if err := n.startAt(ctx, next, from.progress(n.restore.published.History, *n.restore.published.Live)); err != nil {
			return fmt.Errorf("begin line %s: %w", n.line, err)
		}
	}
	return nil
}

// startAt writes down where the line begins in a partition. Of the replay it is
// only known of which history it has to be.
func (n *build[Tx]) startAt(ctx context.Context, next projection.Store[Tx], from checkpoint.Progress) error {
	return next.Update(ctx, func(tx Tx) error {
		if err := save(ctx, tx, next, n.config.Consumer, from); err != nil {
			return err
		}
		begin := checkpoint.Progress{History: from.History, Partition: from.Partition}
		return save[Tx](ctx, tx, replayStore[Tx]{next}, n.config.Consumer, begin)
	})
}

// save puts a consumer somewhere in a partition.
func save[Tx any](
	ctx context.Context, tx Tx, store projection.Store[Tx], consumer string, at checkpoint.Progress,
) error {
	if _, err := store.LockCheckpoints(ctx, tx, consumer, at.Partition); err != nil {
		return err
	}
	return store.SaveCheckpoints(ctx, tx, consumer, at)
}

func (n *build[Tx]) replayFeed() (bus.Feed, bus.Topic) {
	topic := bus.Topic(*n.restore.published.Replay)
	return n.topics.Topic(topic.Name, bus.TopicSettings{Partitions: topic.Partitions}), topic
}

// readReplay brings the replay into the line, and makes sure that it was whole.
func (n *build[Tx]) readReplay(ctx context.Context) error {
	feed, topic := n.replayFeed()
	for range topic.Partitions {
		n.tallies = append(n.tallies, newTally())
	}
	n.seals = make([]*seal, topic.Partitions)
	r := &reader[Tx]{
		projection: n.replay, feed: feed, topic: topic, runMax: n.config.RunMax,
		take: n.takeReplayed, worked: func(ctx context.Context, _ int32, _ int64) error { return n.beat(ctx) },
	}
	if err := r.toEnd(ctx); err != nil {
		return fmt.Errorf("replay: %w", err)
	}
	return n.checkSeals()
}

// takeReplayed counts the events of a run, and takes the seal off its end.
func (n *build[Tx]) takeReplayed(partition int32, records []bus.Record) ([]bus.Record, error) {
	for i, record := range records {
		if n.seals[partition] != nil {
			return nil, finalf("replay: partition %d goes on behind its end, at offset %d", partition, record.Offset)
		}
		if isSeal(record.Message) {
			n.seals[partition] = new(seal)
			if err := json.Unmarshal(record.Value, n.seals[partition]); err != nil {
				return nil, finalf("replay: partition %d: its end cannot be read: %w", partition, err)
			}
			if i < len(records)-1 {
				return nil, finalf("replay: partition %d goes on behind its end, at offset %d", partition, records[i+1].Offset)
			}
			return records[:i], nil
		}
		_, e, err := bus.Decode(record.Message)
		if err != nil {
			return nil, finalf("replay: partition %d, offset %d: %w", partition, record.Offset, err)
		}
		n.tallies[partition].add(e)
		n.events++
	}
	return records, nil
}

// checkSeals compares what was read with what the publisher says it has written.
func (n *build[Tx]) checkSeals() error {
	published := n.restore.published
	for i, t := range n.tallies {
		want := seal{
			Restore: n.restore.ID, History: published.History, Head: published.Total,
			Count: t.count, Checksum: t.checksum(),
		}
		switch s := n.seals[i]; {
		case s == nil:
			return finalf("replay: partition %d has no end: %d events were read", i, t.count)
		case *s != want:
			return finalf("replay: partition %d is not what was published: its end tells of %d events of history %s with checksum %s, "+
				"read were %d of history %s with checksum %s", i, s.Count, s.History, s.Checksum, t.count, want.History, want.Checksum)
		}
	}
	return nil
}

// enter begins a step, and says so.
func (n *build[Tx]) enter(ctx context.Context, step Step) error {
	n.step = step
	return n.tell(ctx, "")
}

// beat says from time to time how far it has come.
func (n *build[Tx]) beat(ctx context.Context) error {
	if time.Since(n.toldAt) < n.config.TellInterval {
		return nil
	}
	return n.tell(ctx, "")
}

func (n *build[Tx]) tell(ctx context.Context, trouble string) error {
	n.toldAt = time.Now()
	return n.log.tell(ctx, record{
		Kind: kindBuilding, ID: n.restore.ID, Fence: n.lease.lease.Fence, Step: n.step, Line: n.line,
		Events: n.events, Differences: n.differences, Parked: n.parked, Trouble: trouble,
	})
}

// current returns errOver unless the restore is still the one to be built.
func (n *build[Tx]) current(ctx context.Context) error {
	running, err := n.log.running(ctx)
	switch {
	case err != nil:
		return err
	case running == nil || running.ID != n.restore.ID:
		return fmt.Errorf("restore %s: %w: it is not the one that runs", n.restore.ID, errOver)
	case running.published == nil || *running.published.Replay != *n.restore.published.Replay:
		return fmt.Errorf("restore %s: %w: it was published again", n.restore.ID, errOver)
	}
	return nil
}
