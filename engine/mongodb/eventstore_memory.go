package mongodb

import (
	"sync"

	"passbook/es/event"
)

// memory is what this process knows to be durable. Streams and the store only
// grow, so whatever was seen once is a lower bound for ever: a version that is
// known to be there needs no reading before something is written behind it, and
// the unique indexes see whether it still is the last. Safe for concurrent use.
type memory struct {
	mu sync.Mutex
	// tail is the last position that was seen.
	tail int64
	// versions are the last ones that were seen, of the streams used lately; when
	// young is full it becomes old, and old is forgotten.
	young, old map[string]int64
}

// streamsMax is how many streams each of the two generations holds.
const streamsMax = 1 << 16

func newMemory() memory { return memory{young: make(map[string]int64)} }

// reached notes that the store has come to position.
func (m *memory) reached(position int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.tail = max(m.tail, position)
}

func (m *memory) position() int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.tail
}

// saw notes that a stream has come to version. A stream without events is not
// noted: nothing follows from it.
func (m *memory) saw(stream string, version int64) {
	if version < 0 {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	known, ok := m.young[stream]
	if !ok {
		known = m.old[stream]
		if len(m.young) >= streamsMax {
			m.old, m.young = m.young, make(map[string]int64)
		}
	}
	m.young[stream] = max(known, version)
}

// LeastVersion implements eventstore.Sharing.
func (s *EventStore) LeastVersion(stream string) int64 {
	if version, known := s.memory.version(stream); known {
		return version
	}
	return event.NoVersion
}

// version returns the least that a stream's version can be; known is false for
// one that nothing was seen of.
func (m *memory) version(stream string) (version int64, known bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if version, known = m.young[stream]; !known {
		version, known = m.old[stream]
	}
	return version, known
}
