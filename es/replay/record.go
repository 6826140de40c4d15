package replay

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"passbook/es/bus"
	"passbook/es/checkpoint"
)

// kind is what a record tells.
type kind string

const (
	kindRequested  kind = "requested"
	kindPublishing kind = "publishing"
	kindPublished  kind = "published"
	kindBuilding   kind = "building"
	kindDone       kind = "done"
	kindFailed     kind = "failed"
)

// kinds are all there are.
func kinds() []kind {
	return []kind{kindRequested, kindPublishing, kindPublished, kindBuilding, kindDone, kindFailed}
}

// lease returns a kind for all that are written under the same lease, which are
// those of which only the newest fence counts.
func (k kind) lease() kind {
	if k == kindPublishing {
		return kindPublished
	}
	return k
}

// record is one on the log. Its key is the restore's id and its kind: of each
// kind the last one outlives compaction, at its place. With one key for all, a
// late record of a builder that was paused would take the place of "done", and
// that a restore was asked for before another would be forgotten.
type record struct {
	Kind kind      `json:"kind"`
	ID   string    `json:"id"`
	At   time.Time `json:"at"`

	// requested
	By         string `json:"by,omitempty"`
	Supersedes string `json:"supersedes,omitempty"` // the stalled restore whose place it takes

	// Fence is that of the lease under which it was written. Records of an
	// older lease of its kind do not count.
	Fence int64 `json:"fence,omitempty"`

	// publishing, published
	History   string `json:"history,omitempty"`
	Published int64  `json:"published,omitempty"`
	Total     int64  `json:"total,omitempty"`
	// published
	Replay *topic `json:"replay,omitempty"`
	Live   *topic `json:"live,omitempty"`
	// From is where the feed ended in each partition before the head was read.
	From []place `json:"from,omitempty"`

	// building, done
	Step        Step   `json:"step,omitempty"`
	Line        string `json:"line,omitempty"`
	Events      int64  `json:"events,omitempty"`
	Differences int64  `json:"differences,omitempty"`
	Parked      int64  `json:"parked,omitempty"`

	Trouble string `json:"trouble,omitempty"` // publishing, building
	Error   string `json:"error,omitempty"`   // failed
}

// topic is a bus.Topic on the log.
type topic struct {
	Name       string `json:"name"`
	ID         string `json:"id"`
	Partitions int32  `json:"partitions"`
}

// place is where a partition of the feed ended, with the event before it.
type place struct {
	Partition int32  `json:"partition"`
	First     int64  `json:"first"`
	Next      int64  `json:"next"`
	EventID   string `json:"eventId,omitempty"`
	Position  int64  `json:"position,omitempty"`
}

// progress returns the place as a checkpoint in that topic.
func (p place) progress(history string, in topic) checkpoint.Progress {
	return checkpoint.Progress{
		History: history, Topic: in.ID, Partition: p.Partition,
		First: p.First, Next: p.Next, EventID: p.EventID, Position: p.Position,
	}
}

func (k kind) key(id string) string { return id + "/" + string(k) }

// message returns the record as it goes to the log.
func (r record) message() (bus.Placed, error) {
	value, err := json.Marshal(r)
	return bus.Placed{Message: bus.Message{Key: r.Kind.key(r.ID), Value: value, Time: r.At}}, err
}

// tombstones take everything that is known of a restore off the log.
func tombstones(id string) (all []bus.Placed) {
	for _, k := range kinds() {
		all = append(all, bus.Placed{Message: bus.Message{Key: k.key(id), Time: time.Now()}})
	}
	return all
}

// parse reads a record; gone tells of one that takes others away.
func parse(m bus.Message) (r record, gone bool, err error) {
	id, k, ok := strings.Cut(m.Key, "/")
	if !ok {
		return r, false, fmt.Errorf("the key %q is not an id and a kind", m.Key)
	}
	if len(m.Value) == 0 {
		return record{ID: id, Kind: kind(k)}, true, nil
	}
	if err := json.Unmarshal(m.Value, &r); err != nil {
		return r, false, fmt.Errorf("key %q: %w", m.Key, err)
	}
	if r.Kind.key(r.ID) != m.Key {
		return r, false, fmt.Errorf("the key is %q, the value tells of %q", m.Key, r.Kind.key(r.ID))
	}
	return r, false, nil
}

// oneLine makes an error fit for a field of one line.
func oneLine(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }
