package aggregate

import (
	"sync"

	"passbook/es/event"
	"passbook/es/eventstore"
)

// flights are the idempotency keys of this process's requests whose fate is
// open. Once it is known, the store itself answers for the key.
type flights struct {
	mu   sync.Mutex
	keys map[event.Key]*eventstore.Pending
	// sweepAt is the size at which settled keys are looked for. It doubles with
	// what is found to be open, so that many callers that give up at once do
	// not each look at all the others.
	sweepAt int
}

// begin reserves a key, or reports that an earlier request still has it.
func (f *flights) begin(key event.Key) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if pending, ok := f.keys[key]; ok && !settled(pending) {
		return ErrKeyInFlight
	}
	f.keys[key] = nil
	return nil
}

// end frees a key. pending, if not nil, is the commit that its request left
// behind without knowing its fate: the key stays reserved until that is
// settled, or a request repeated in the meantime could be refused by a state
// that its own first try has made.
func (f *flights) end(key event.Key, pending *eventstore.Pending) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.keys, key)
	if pending == nil || settled(pending) {
		return
	}
	f.keys[key] = pending
	if len(f.keys) < f.sweepAt {
		return
	}
	for k, p := range f.keys {
		if p != nil && settled(p) {
			delete(f.keys, k)
		}
	}
	f.sweepAt = max(1024, 2*len(f.keys))
}

// settled tells whether a commit's fate is known. A nil pending stands for a
// request that is still being worked on.
func settled(pending *eventstore.Pending) bool {
	if pending == nil {
		return false
	}
	select {
	case <-pending.Done():
		return true
	default:
		return false
	}
}
