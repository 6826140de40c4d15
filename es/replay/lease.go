package replay

import (
	"context"
	"fmt"
	"time"

	"passbook/es/checkpoint"
)

// leaseConfig says which lease, of whom.
type leaseConfig struct {
	store        checkpoint.Store // nil: there is nobody to share with
	name, holder string
	duration     time.Duration
}

// held is a lease while something is done under it.
type held struct {
	leaseConfig
	lease checkpoint.Lease
}

// hold does something under the lease, in a context that ends when the lease is
// lost. It returns checkpoint.ErrHeld where another has it.
func (c leaseConfig) hold(ctx context.Context, do func(ctx context.Context, h *held) error) error {
	if c.store == nil {
		return do(ctx, &held{leaseConfig: c})
	}
	return checkpoint.Hold(ctx, c.store, c.name, c.holder, c.duration,
		func(ctx context.Context, lease checkpoint.Lease) error { return do(ctx, &held{c, lease}) })
}

// confirm renews the lease now, and so makes sure that nobody else has it.
func (h *held) confirm(ctx context.Context) error {
	if h.store == nil {
		return nil
	}
	if err := h.store.Renew(ctx, h.lease, h.duration); err != nil {
		return fmt.Errorf("renew lease %s: %w", h.name, err)
	}
	return nil
}
