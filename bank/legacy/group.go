package legacy

import (
	"context"
	"sync"
	"time"
)

// groupCheck is how often it is looked whether the original's query service has
// come, while it is not there.
const groupCheck = 10 * time.Second

// group is how far the original's query service has come, as last heard.
type group struct {
	*Bridge
	mu      sync.Mutex
	known   bool
	offsets map[string][]int64
	asked   time.Time
}

// catchUp waits until the service, if there is one, has dealt with everything
// that is in the topics: nothing is known of which of it belongs together.
func (g *group) catchUp(ctx context.Context, ends map[partition]int64) error {
	for p, end := range ends {
		if end == 0 {
			continue
		}
		if err := g.await(ctx, sent{p, end - 1}); err != nil {
			return err
		}
	}
	return nil
}

// await returns when the service has dealt with a record, or is not there.
func (g *group) await(ctx context.Context, at sent) error {
	for {
		if done, err := g.look(ctx, at); done || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(g.config.GroupInterval):
		}
	}
}

// look asks how far the service has come, unless that was asked a moment ago: of
// many records that wait, one asks for all.
func (g *group) look(ctx context.Context, at sent) (done bool, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.known && g.passed(at) {
		return true, nil
	}
	interval := groupCheck
	if g.known {
		interval = g.config.GroupInterval
	}
	if g.asked.IsZero() || time.Since(g.asked) >= interval {
		g.offsets, g.known, err = g.cluster.Committed(ctx, Group)
		if err != nil {
			return false, err //nolint:wrapcheck // it names the group
		}
		g.asked = time.Now()
		g.note(func(s *Status) { s.GroupKnown = g.known })
	}
	return !g.known || g.passed(at), nil
}

// has tells, without asking, whether the service is known to be through with a
// record.
func (g *group) has(at sent) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return !g.known || g.passed(at)
}

func (g *group) passed(at sent) bool {
	offsets := g.offsets[at.topic]
	return int(at.number) < len(offsets) && offsets[at.number] > at.offset
}
