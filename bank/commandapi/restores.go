package commandapi

import (
	"context"
	"errors"
	"fmt"

	"passbook/es/event"
)

// Restores asks for restores of the read model, and tells what becomes of them.
// The restore itself is the work of others; only the wish for it and its state
// come by here. Implementations are safe for concurrent use.
type Restores interface {
	// Request asks for a restore on behalf of by and returns it. While one runs
	// and gets on, it asks for nothing and returns that one. When it returns, the
	// request is recorded; on ErrRestoresUnavailable it is not, on
	// ErrRestoreUncertain and after ctx has ended it may be.
	Request(ctx context.Context, by event.Actor) (Restore, error)
	// Find returns a restore as far as it is known here, or ErrNoRestore. A
	// restore that Request has returned is found at once.
	Find(ctx context.Context, id string) (Restore, error)
}

// Errors of Restores, to be told apart with errors.Is. Any other is answered
// with 500 and logged.
var (
	// ErrNoRestore: there is no restore with this id.
	ErrNoRestore = errors.New("no such restore")
	// ErrRestoresUnavailable: requests and states cannot be had now, since what
	// carries them is not reached, or not there yet. Nothing has happened.
	ErrRestoresUnavailable = errors.New("restores unavailable")
	// ErrRestoreUncertain: it is not known whether a request is recorded.
	ErrRestoreUncertain = errors.New("restore may have been requested")
)

// errNoRestores: this process can never serve restores.
var errNoRestores = errors.New("no restores in this process")

// Restore is one restore of the read model.
type Restore struct {
	ID    string // of the letters that a path takes as they are
	State RestoreState
	// Events is how many events were read again, of Total; Total is 0 as long as
	// it is not known.
	Events, Total int64
	// Error says, where State is RestoreFailed, why: one sentence for people that
	// goes to the client as it is.
	Error string
}

// RestoreState is how far a restore has come, in the words of the API.
type RestoreState string

// The states of a restore.
const (
	RestoreRunning RestoreState = "running"
	RestoreDone    RestoreState = "done"
	RestoreFailed  RestoreState = "failed"
)

// noRestores stands in where Config.Restores is nil.
type noRestores struct{}

// Request implements [Restores].
func (noRestores) Request(context.Context, event.Actor) (Restore, error) {
	return Restore{}, errNoRestores
}

// Find implements [Restores].
func (noRestores) Find(context.Context, string) (Restore, error) { return Restore{}, errNoRestores }

// requestRestore asks for a restore, and gives up when a command would.
func (s *service) requestRestore(ctx context.Context) (Restore, error) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	by := s.actor(ctx)
	restore, err := s.restores.Request(ctx, by)
	if errors.Is(err, context.DeadlineExceeded) { // which may be the reason of an answer that says more
		err = fmt.Errorf("%w: %w", ErrRestoreUncertain, err)
	}
	if err != nil {
		return Restore{}, err
	}
	s.log.InfoContext(ctx, "restore of the read model requested", "restore", restore.ID, "state", restore.State, "by", by)
	return restore, nil
}

// findRestore looks a restore up, and gives up when a command would.
func (s *service) findRestore(ctx context.Context, id string) (Restore, error) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	restore, err := s.restores.Find(ctx, id)
	if errors.Is(err, context.DeadlineExceeded) {
		err = fmt.Errorf("%w: %w", ErrRestoresUnavailable, err)
	}
	return restore, err
}
