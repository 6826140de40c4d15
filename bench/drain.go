package bench

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// drainPoll is how often services are asked how far they are.
const drainPoll = 20 * time.Millisecond

// drain waits until the events up to a position of the store, which are all that
// there are, are visible to queries, recorded by the notification service, and
// all notifications are sent.
func (d deployment) drain(ctx context.Context, position int64) error {
	for _, service := range []string{d.query, d.notify} {
		err := until(ctx, service, "/api/v2/consumers", func(applied int64, _ []byte) bool { return applied >= position })
		if err != nil {
			return fmt.Errorf("wait for what was published: %w", err)
		}
	}
	err := until(ctx, d.notify, "/api/v2/notifications?pageSize=1&state=pending", func(_ int64, answer []byte) bool {
		return !strings.Contains(string(answer), `"pending"`)
	})
	if err != nil {
		return fmt.Errorf("wait for notifications: %w", err)
	}
	return nil
}

// until asks a service again and again until it is so. The number is what its
// consumer has applied.
func until(ctx context.Context, service, path string, isSo func(applied int64, answer []byte) bool) error {
	all, err := connect(ctx, service, 1)
	if err != nil {
		return err
	}
	defer all.close()
	poll := time.NewTicker(drainPoll)
	defer poll.Stop()
	for {
		answer, err := all.ask(0, request{http.MethodGet, path, nil})
		if err != nil {
			return err
		}
		if applied, _ := answer.Number("applied"); isSo(applied, answer.Body) {
			return nil
		}
		select {
		case <-poll.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
