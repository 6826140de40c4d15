package bustest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"passbook/es/bus"
	"passbook/es/event"
)

// epoch is when the events of the suite happened: long ago, as imported ones
// did, and all within a millisecond's reach of what a bus keeps of time.
var epoch = time.Date(2019, 5, 17, 8, 30, 0, 123_000_000, time.UTC)

// script makes events one after the other, of a few streams in each partition.
type script struct {
	streams  [][]string // by partition
	versions map[string]int64
	position int64
}

func newScript(partitions int32) *script {
	const each = 3
	s := &script{streams: make([][]string, partitions), versions: make(map[string]int64)}
	for i, full := 0, int32(0); full < partitions; i++ {
		name := "stream-" + strconv.Itoa(i)
		p := bus.Partition(name, partitions)
		if len(s.streams[p]) < each {
			s.streams[p] = append(s.streams[p], name)
			if len(s.streams[p]) == each {
				full++
			}
		}
	}
	return s
}

// next makes an event that belongs in the partition.
func (s *script) next(partition int32) event.Envelope {
	s.position++
	stream := s.streams[partition][rand.IntN(len(s.streams[partition]))]
	version := s.versions[stream]
	s.versions[stream]++
	return event.Envelope{
		ID:       event.NewID(),
		Stream:   stream,
		Category: "suite",
		Version:  version,
		Position: s.position,
		Type:     event.Type{Name: "bustest.happened", Schema: 1},
		Time:     epoch.Add(time.Duration(s.position) * time.Millisecond),
		Data:     fmt.Appendf(nil, `{"position":%d}`, s.position),
	}
}

// each makes n events for each partition, by turns.
func (s *script) each(n int) []event.Envelope {
	var events []event.Envelope
	for range n {
		for p := range s.streams {
			events = append(events, s.next(int32(p)))
		}
	}
	return events
}

// in makes n events for one partition.
func (s *script) in(partition int32, n int) []event.Envelope {
	var events []event.Envelope
	for range n {
		events = append(events, s.next(partition))
	}
	return events
}

// name tells events apart; where a store gives them their ids it is all that
// the suite can know.
func name(e event.Envelope) string { return fmt.Sprintf("%s/%d", e.Stream, e.Version) }

// names are those of the events of one partition, in their order.
func (s *script) names(partition int32, events []event.Envelope) []string {
	var found []string
	for _, e := range events {
		if slices.Contains(s.streams[partition], e.Stream) {
			found = append(found, name(e))
		}
	}
	return found
}

// placed makes n distinct messages of some size for a partition.
func placed(partition int32, n, size int) []bus.Placed {
	records := make([]bus.Placed, n)
	for i := range records {
		value := make([]byte, size)
		for j := range value {
			value[j] = byte(rand.Uint32())
		}
		id := event.NewID()
		records[i] = bus.Placed{Partition: partition, Message: bus.Message{
			Key:     "key-" + strconv.Itoa(i%7),
			Value:   value,
			Headers: []bus.Header{{Key: "id", Value: id}, {Key: "empty", Value: ""}, {Key: "id", Value: "again"}},
			Time:    epoch.Add(time.Duration(i) * time.Millisecond),
		}}
	}
	return records
}

// id is that of a message made by placed.
func id(m bus.Message) string {
	value, _ := m.Header("id")
	return value
}

// ids are those of the messages for one partition, in their order.
func ids(partition int32, records []bus.Placed) []string {
	var found []string
	for _, r := range records {
		if r.Partition == partition {
			found = append(found, id(r.Message))
		}
	}
	return found
}

func idsOf(records []bus.Record) []string {
	var found []string
	for _, r := range records {
		found = append(found, id(r.Message))
	}
	return found
}
