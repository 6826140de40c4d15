package mongodb

import (
	"context"
	"fmt"

	"go.mongodb.org/mongo-driver/v2/bson"

	"passbook/es/event"
	"passbook/es/eventstore"
)

// judgement is what is to be written of a group, and what not.
type judgement struct {
	// arrived: the front is in the store already; it was settled, and the call
	// stops behind it.
	arrived bool
	// good is the end of the run of commits that can be written.
	good      int
	documents []bson.Raw
	// owners are the commits of the documents.
	owners []int
	// together: a commit of several events is among them.
	together bool
	// why is what is to be said of the commit at good, if there is one.
	why eventstore.Outcome
	// versions are those of the streams once the good commits are written.
	versions map[string]int64
}

func (j *judgement) commitOf(document int) int { return j.owners[document] }

// judge says how many commits can be written. It believes what this process
// remembers of streams, and leaves it to the unique indexes to object; but
// nothing is refused before the store was looked at: all of it that concerns the
// group, or the event that stands where the commit's own was to be.
func (a *appending) judge(ctx context.Context) (judgement, error) {
	if err := a.ensureHeads(ctx); err != nil {
		return judgement{}, err
	}
	j := a.judgeFront()
	if j.good < len(a.group) && !a.looked && !a.rivals.beat(&a.group[j.good]) {
		if err := a.look(ctx); err != nil {
			return judgement{}, err
		}
		j = a.judgeFront()
	}
	if a.looked && a.settleArrived() {
		j.arrived = true
	}
	return j, nil
}

// ensureHeads reads the versions of the streams for which memory does not do:
// something is to follow on a version that it does not know of, or does not
// follow on the one that it knows.
//
// A commit without events is answered by a primary that has asked the majority
// whether it still is the primary: a deposed one would confirm what is not so
// any more.
func (a *appending) ensureHeads(ctx context.Context) error {
	var unsure []string
	from := a.events
	seen := make(map[string]bool, len(a.group)-a.from)
	for i := range a.group[a.from:] {
		c := &a.group[a.from+i]
		if seen[c.Stream] {
			continue // it follows on those before it
		}
		seen[c.Stream] = true
		if _, read := a.heads[c.Stream]; read || a.rivals.beat(c) {
			continue
		}
		check := len(c.Events) == 0
		if check {
			from = a.current
		}
		if known, ok := a.memory.version(c.Stream); check || ok && known != c.Expected || !ok && c.Expected != event.NoVersion {
			unsure = append(unsure, c.Stream)
		}
	}
	return a.lookForHeads(ctx, from, unsure)
}

// version returns the last version of a stream, as far as is known.
func (a *appending) version(stream string) int64 {
	known, ok := a.memory.version(stream)
	if !ok {
		known = event.NoVersion
	}
	if head, read := a.heads[stream]; read {
		return max(head, known)
	}
	return known
}

// judgeFront goes through the commits until one cannot be written.
func (a *appending) judgeFront() judgement {
	left := len(a.group) - a.from
	j := judgement{good: a.from, versions: make(map[string]int64, left)}
	ids := make(map[string]bool, left)
	keys := make(map[event.Key]eventstore.KeyRecord)
	next := a.next
	for ; j.good < len(a.group); j.good++ {
		c := &a.group[j.good]
		if why := a.objection(j.good, &j, ids, keys); why.State != eventstore.Written {
			j.why = why
			return j
		}
		documents, tooLarge := a.encode(c, next)
		if tooLarge != "" {
			j.why = eventstore.Outcome{State: eventstore.Rejected, Reason: tooLarge}
			return j
		}
		n := len(c.Events)
		j.documents = append(j.documents, documents...)
		for range n {
			j.owners = append(j.owners, j.good)
		}
		j.together = j.together || n > 1
		j.versions[c.Stream] = c.Expected + int64(n)
		if !c.Key.IsZero() && n > 0 {
			keys[c.Key] = record(c, next)
		}
		next += int64(n)
	}
	return j
}

// objection says why a commit cannot be written behind those before it.
func (a *appending) objection(
	i int, j *judgement, ids map[string]bool, keys map[event.Key]eventstore.KeyRecord,
) eventstore.Outcome {
	c := &a.group[i]
	actual, ok := j.versions[c.Stream]
	if !ok {
		actual = a.version(c.Stream)
	}
	if actual != c.Expected {
		return eventstore.Outcome{State: eventstore.Conflict, Actual: actual}
	}
	if prior, taken := keys[c.Key]; taken {
		return eventstore.Outcome{State: eventstore.KeyTaken, Prior: prior}
	}
	if prior, taken := a.keys[c.Key]; taken {
		return eventstore.Outcome{State: eventstore.KeyTaken, Prior: prior}
	}
	for k := range c.Events {
		id := c.Events[k].ID
		there, used := a.ids[id]
		if used && there.Stream == c.Stream && there.Version == c.Expected+1+int64(k) {
			used = false // our own, arriving while we looked: the next look finds it whole
		}
		if used || ids[id] {
			return eventstore.Outcome{State: eventstore.Rejected, Reason: "event id " + id + " is taken"}
		}
		ids[id] = true
	}
	if reason, refused := a.rejected[i]; refused {
		return eventstore.Outcome{State: eventstore.Rejected, Reason: reason}
	}
	return eventstore.Outcome{State: eventstore.Written}
}

// documentMax is what the server takes, 16 MiB, but for what it adds itself.
const documentMax = 16<<20 - 64<<10

// encode returns a commit's documents, the first of which gets position first;
// or why it has none.
func (a *appending) encode(c *eventstore.Commit, first int64) (documents []bson.Raw, tooLarge string) {
	for k := range c.Events {
		e := c.Events[k]
		e.Position = first + int64(k)
		p := place{index: k, count: len(c.Events), writer: a.writer}
		if k == len(c.Events)-1 && !c.Key.IsZero() {
			r := record(c, first)
			p.key = &r
		}
		document := encode(&e, p)
		if len(document) > documentMax {
			return nil, fmt.Sprintf("event %d of %d takes %d bytes, more than the %d of a document",
				k+1, len(c.Events), len(document), documentMax)
		}
		documents = append(documents, document)
	}
	return documents, ""
}

// tellRefusals says of the commits that were not written why not, where that is
// certain once the good ones before them are.
func (a *appending) tellRefusals(j judgement) {
	if j.good == len(a.group) {
		return
	}
	if a.arrived(&a.group[j.good]) == 0 { // else: it will be found when it is at the front
		a.outcomes[j.good] = j.why
	}
	// A commit whose stream has one before it that is open depends on that one.
	open := make(map[string]bool)
	for i := j.good + 1; i < len(a.group); i++ {
		c := &a.group[i]
		actual, ok := j.versions[c.Stream]
		if !ok {
			actual = a.version(c.Stream)
		}
		prior, taken := a.keys[c.Key]
		switch {
		case open[c.Stream]:
		case a.arrived(c) != 0:
			open[c.Stream] = true
		case actual != c.Expected:
			a.outcomes[i] = eventstore.Outcome{State: eventstore.Conflict, Actual: actual}
		case taken:
			a.outcomes[i] = eventstore.Outcome{State: eventstore.KeyTaken, Prior: prior}
		default:
			open[c.Stream] = true
		}
	}
}
