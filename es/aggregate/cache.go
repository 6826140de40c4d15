package aggregate

import (
	"container/list"
	"sync"
)

// cache holds the aggregates that were used last.
type cache[S any] struct {
	mu      sync.Mutex
	limit   int
	entries map[string]*list.Element // of *entry[S]
	recent  *list.List               // front: used last
}

func newCache[S any](limit int) *cache[S] {
	return &cache[S]{limit: limit, entries: make(map[string]*list.Element), recent: list.New()}
}

// acquire returns the entry of a stream and keeps it from being dropped until
// release is called.
func (c *cache[S]) acquire(stream string) *entry[S] {
	c.mu.Lock()
	defer c.mu.Unlock()
	if element, ok := c.entries[stream]; ok {
		c.recent.MoveToFront(element)
		e := element.Value.(*entry[S]) //nolint:forcetypeassert // the list holds nothing else
		e.users++
		return e
	}
	e := newEntry[S](stream)
	e.users = 1
	c.entries[stream] = c.recent.PushFront(e)
	c.shrink()
	return e
}

func (c *cache[S]) release(e *entry[S]) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e.users--
}

// shrink drops what was used longest ago. An entry that somebody uses stays:
// two entries of one stream would know nothing of each other's events.
func (c *cache[S]) shrink() {
	for element := c.recent.Back(); element != nil && c.recent.Len() > c.limit; {
		previous := element.Prev()
		if e := element.Value.(*entry[S]); e.users == 0 { //nolint:forcetypeassert // the list holds nothing else
			c.recent.Remove(element)
			delete(c.entries, e.stream)
		}
		element = previous
	}
}
