package client

import (
	"context"
	"errors"
	"fmt"
)

// States of a restore.
const (
	RestoreRunning = "running"
	RestoreDone    = "done"
	RestoreFailed  = "failed"
)

// Restore is how far a restore of the read model has come.
type Restore struct {
	ID     string `json:"id"`
	State  string `json:"state"`  // running, done or failed
	Events int64  `json:"events"` // read so far
	Total  int64  `json:"total"`  // to be read; 0 while it is not known
	Error  string `json:"error,omitempty"`
}

// StartRestore has the read model built again beside the live one. It returns
// while that goes on: ask for it by Restore. While one runs, that one is the
// answer, so that nothing is lost by asking again, and an error is never an
// *UnknownError.
func (c *Client) StartRestore(ctx context.Context) (Restore, error) {
	address, err := c.command.url(nil, "read-model", "restores")
	if err != nil {
		return Restore{}, err
	}
	var started Restore
	_, err = c.issue(ctx, c.command, address, CommandOptions{}, nil, &started)
	if open, ok := errors.AsType[*UnknownError](err); ok {
		err = fmt.Errorf("whether a restore has begun is not known, and it can be asked for again: %w", open.Err)
	}
	return started, err
}

// Restore returns how far a restore has come.
func (c *Client) Restore(ctx context.Context, id string) (Restore, error) {
	var found Restore
	err := c.get(ctx, c.command, 0, nil, &found, "read-model", "restores", id)
	return found, err
}
