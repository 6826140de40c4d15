package main

import (
	"context"
	"fmt"
	"sync"
)

// firstBuild is the readiness of a read model that stands beside its event store:
// everything that was in the store when the process started is in it. The feed
// alone cannot tell: after the broker's folder or the read database was deleted
// it is nearly empty itself at first.
type firstBuild struct {
	head int64 // of the store at the start
	// reached returns up to where nothing is missing; it begins at after.
	reached func(ctx context.Context, after int64) (int64, error)

	mu   sync.Mutex
	come int64
}

func (f *firstBuild) check(ctx context.Context) (err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.come >= f.head {
		return nil
	}
	if f.come, err = f.reached(ctx, f.come); err != nil {
		return err
	}
	if f.come < f.head {
		return fmt.Errorf("it is being built: %d of %d events are in it", f.come, f.head)
	}
	return nil
}
