// Package run is the one way in which everything that runs is run: parts go
// in, in the order in which they depend on each other, and one error comes out.
package run

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// Part is something that works until its context ends.
type Part struct {
	// Name stands before the part's error.
	Name string
	// Run works until ctx ends and then returns nil, after it has waited for
	// every goroutine that it started. An earlier return ends all parts.
	Run func(ctx context.Context) error
}

// All starts the parts in order and returns when every one of them has ended.
// They are told to end when ctx does, or when one of them returns, with an
// error or without: in reverse order, each only after the one behind it has
// ended, so that no part loses what it stands on while it still works.
//
// Where ctx has ended before, the parts get contexts that have ended too.
//
// It returns the errors of the parts, each under the part's name.
func All(ctx context.Context, parts ...Part) error {
	ended := make(chan int, len(parts))
	results := make([]error, len(parts))
	cancels := make([]context.CancelFunc, len(parts))
	done := make([]chan struct{}, len(parts))
	for i, part := range parts {
		// Not a child of ctx: its end must not reach all parts at once.
		partCtx, cancel := context.WithCancel(context.WithoutCancel(ctx))
		cancels[i], done[i] = cancel, make(chan struct{})
		if ctx.Err() != nil {
			cancel() // it was never to work: it only gives back what it has
		}
		go func() {
			defer close(done[i])
			if err := part.Run(partCtx); err != nil && !(errors.Is(err, context.Canceled) && partCtx.Err() != nil) {
				results[i] = fmt.Errorf("%s: %w", part.Name, err)
			}
			ended <- i
		}()
	}
	if len(parts) > 0 {
		select {
		case <-ctx.Done():
		case <-ended:
		}
	}
	for i := range slices.Backward(parts) {
		cancels[i]()
		<-done[i]
	}
	return errors.Join(results...)
}
