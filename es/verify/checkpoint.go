package verify

import (
	"fmt"

	"passbook/es/bus"
	"passbook/es/checkpoint"
	"passbook/es/event"
)

// mark is a checkpoint in a partition, to be held against the record that it
// names.
type mark struct {
	whose    string
	progress checkpoint.Progress
	isSeen   bool
}

const (
	ofRelay    = "the relay"
	ofConsumer = "the read model"
)

// judgeCheckpoints looks at what can be told without the topic's records, and
// finds out up to where everything was confirmed.
func (a *attempt) judgeCheckpoints() {
	a.confirmed = a.confirmedBy(a.relay)
	for _, p := range a.relay {
		a.judgeProgress(ofRelay, p)
	}
	for _, p := range a.consumer {
		a.judgeProgress(ofConsumer, p)
	}
	if a.confirmed > a.head {
		a.movedf(ofRelay, a.relay[0], "it confirms all up to position %d, the store ends at %d", a.confirmed, a.head)
	}
}

// confirmedBy returns the position up to which everything was in this topic, by
// the relay's word, 0 where that is of another topic or history.
func (a *attempt) confirmedBy(saved []checkpoint.Progress) int64 {
	if len(saved) == 0 {
		return 0
	}
	common := mostCommon(saved)
	for i, p := range saved {
		if outline(p) != common || int(p.Partition) != i {
			a.movedf(ofRelay, p, "it confirms all up to position %d, those of most partitions up to %d, or it is of another topic or history",
				p.Confirmed, common.Confirmed)
		}
	}
	if common.Topic != a.topic.ID || common.History != a.history {
		return 0
	}
	if len(saved) != len(a.bounds) {
		a.movedf(ofRelay, saved[0], "it tells of %d partitions, there are %d", len(saved), len(a.bounds))
	}
	return common.Confirmed
}

// outline is what a relay's progress says alike in all partitions.
func outline(p checkpoint.Progress) checkpoint.Progress {
	return checkpoint.Progress{History: p.History, Topic: p.Topic, Confirmed: p.Confirmed}
}

func mostCommon(saved []checkpoint.Progress) (common checkpoint.Progress) {
	counts := make(map[checkpoint.Progress]int)
	for _, p := range saved {
		o := outline(p)
		if counts[o]++; counts[o] > counts[common] {
			common = o
		}
	}
	return common
}

func (a *attempt) judgeProgress(whose string, p checkpoint.Progress) {
	switch {
	case p.History != a.history:
		a.differInCheckpointf(OtherHistory, p, "checkpoint of %s in partition %d is of history %s, the store is %s",
			whose, p.Partition, p.History, a.history)
	case p.Topic != a.topic.ID:
		a.report.notef(NoteReadAgain, "", "the checkpoint of %s in partition %d is of topic id %s, which was replaced by %s",
			whose, p.Partition, p.Topic, a.topic.ID)
	case int(p.Partition) >= len(a.bounds) || p.Partition < 0:
		a.movedf(whose, p, "there are %d partitions", len(a.bounds))
	case p.Next > a.bounds[p.Partition].End:
		a.movedf(whose, p, "it is at offset %d, the partition ends at %d", p.Next, a.bounds[p.Partition].End)
	case p.Next < 0:
		a.movedf(whose, p, "it is at offset %d", p.Next)
	}
}

func (a *attempt) movedf(whose string, p checkpoint.Progress, format string, args ...any) {
	a.differInCheckpointf(Moved, p, "checkpoint of %s in partition %d: %s", whose, p.Partition, fmt.Sprintf(format, args...))
}

func (a *attempt) differInCheckpointf(kind Kind, p checkpoint.Progress, format string, args ...any) {
	a.report.differ(Difference{
		Place: InCheckpoint, Kind: kind, Version: event.NoVersion, Position: p.Position, EventID: p.EventID,
		Record: &RecordPlace{Partition: p.Partition, Offset: p.Next - 1}, Text: fmt.Sprintf(format, args...),
	})
}

// watch makes the marks of the checkpoints that are of this topic.
func (c *cursor) watch() {
	for _, whose := range []string{ofRelay, ofConsumer} {
		all := c.relay
		if whose == ofConsumer {
			all = c.consumer
		}
		p := progressIn(all, c.partition)
		if p == nil || p.Topic != c.topic.ID || p.History != c.history || p.Next > c.bounds.End {
			continue
		}
		if whose == ofConsumer {
			c.before = p.Next
		}
		// The record before a checkpoint at the partition's beginning cannot be
		// looked at: there is none, or it was deleted.
		if p.Next > c.bounds.First {
			c.marks = append(c.marks, &mark{whose: whose, progress: *p})
		}
	}
}

// checkMarks holds a record against the checkpoints that stand right behind it.
func (c *cursor) checkMarks(r bus.Record, e event.Envelope, undecodable error) {
	for _, m := range c.marks {
		if r.Offset != m.progress.Next-1 {
			continue
		}
		m.isSeen = true
		switch {
		case undecodable != nil:
			c.movedf(m.whose, m.progress, "the record before it is no event, the checkpoint names event %s", m.progress.EventID)
		case e.ID != m.progress.EventID || e.Position != m.progress.Position:
			c.movedf(m.whose, m.progress, "the record before it is event %s at position %d, the checkpoint names event %s at position %d",
				e.ID, e.Position, m.progress.EventID, m.progress.Position)
		}
	}
}

// judgeMarks is called when all records were seen.
func (c *cursor) judgeMarks() {
	for _, m := range c.marks {
		if !m.isSeen {
			c.movedf(m.whose, m.progress, "there is no record before it, the checkpoint names event %s", m.progress.EventID)
		}
	}
}

// checkConfirmed holds the two things that a relay's checkpoint says against
// each other: how far this partition has come, and how far all have.
func (c *cursor) checkConfirmed(e event.Envelope) {
	if e.Position > c.confirmed || c.contradicted {
		return
	}
	if p := progressIn(c.relay, c.partition); p != nil && e.Position > p.Position {
		c.contradicted = true
		c.movedf(ofRelay, *p, "it ends at position %d, and confirms all up to %d", p.Position, c.confirmed)
	}
}
