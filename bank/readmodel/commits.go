package readmodel

import (
	"context"
	"database/sql"
	"sync"

	"passbook/es/projection"
)

// Commits tells those who wait for a change that there may be one. The zero
// value is ready. Safe for concurrent use.
type Commits struct {
	mu   sync.Mutex
	next chan struct{}
}

// Next returns a channel that is closed after the next transaction of a watched
// store in this process. What other processes commit is not noticed.
func (c *Commits) Next() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.next == nil {
		c.next = make(chan struct{})
	}
	return c.next
}

// Watch returns the store with its transactions watched.
func (c *Commits) Watch(store projection.Store[*sql.Tx]) projection.Store[*sql.Tx] {
	return &watchedStore{Store: store, commits: c}
}

func (c *Commits) tell() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.next != nil {
		close(c.next)
		c.next = nil
	}
}

type watchedStore struct {
	projection.Store[*sql.Tx]
	commits *Commits
}

// Update implements projection.Store. It tells of failures too, since a commit
// whose outcome is unknown may have taken place.
func (w *watchedStore) Update(ctx context.Context, fn func(tx *sql.Tx) error) error {
	defer w.commits.tell()
	return w.Store.Update(ctx, fn)
}
