package main

import (
	"context"
	"fmt"
	"time"

	"passbook/bank/client"
)

type restoreCommand struct {
	Follow string `help:"Start none; show this one, which was started before." placeholder:"ID"`

	clientFlags
}

// restorePoll is how often a restore is asked how far it is.
const restorePoll = 200 * time.Millisecond

// Run has the read model built again, and stays until it is swapped in. A restore
// goes on without it.
func (c *restoreCommand) Run(ctx context.Context, out output) error {
	return c.ask(ctx, out, func(ctx context.Context, bank *client.Client) error {
		id := c.Follow
		if id == "" {
			started, err := bank.StartRestore(ctx)
			if err != nil {
				return err //nolint:wrapcheck // it is for people already
			}
			id = started.ID
			_, _ = fmt.Fprintf(out.stderr, "restore %s has begun; it goes on without this program, and \"passbook restore --follow %[1]s\" shows it again\n", printable(id)) // a hint
		}
		ended, err := follow(ctx, bank, out, id)
		if err != nil {
			return err
		}
		if c.JSON {
			if err := printJSON(out.stdout, ended); err != nil {
				return err
			}
		}
		if ended.State != client.RestoreDone {
			return refusal(fmt.Sprintf("restore %s failed, and the read model is as it was before: %s", id, ended.Error))
		}
		if c.JSON {
			return nil
		}
		_, err = fmt.Fprintf(out.stdout, "restore %s is done: the read model was built again from %s events\n", printable(id), grouped(ended.Total))
		return err //nolint:wrapcheck // standard output is gone: there is nothing to add
	})
}

// follow shows a restore until it has ended.
func follow(ctx context.Context, bank *client.Client, out output, id string) (client.Restore, error) {
	bar := newProgress(out.stderr, "restore")
	defer bar.close()
	for {
		now, err := bank.Restore(ctx, id)
		if err != nil {
			return now, err //nolint:wrapcheck // it is for people already
		}
		bar.set(now.Events, now.Total)
		if now.State != client.RestoreRunning {
			return now, nil
		}
		if err := sleep(ctx, restorePoll); err != nil {
			return now, err
		}
	}
}

// sleep waits, unless ctx ends.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err() //nolint:wrapcheck // it is told by its exit code
	}
}
