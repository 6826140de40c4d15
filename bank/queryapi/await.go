package queryapi

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"passbook/bank/readmodel"
	"passbook/bank/web"
	"passbook/contract/account"
	"passbook/es/event"
	"passbook/es/projection"
)

// Versions waits until queries can see a version of an account, and returns the
// version that they see. When ctx ends first it returns the version reached by
// then, event.NoVersion for an account that is not known, with the error of ctx.
// A *projection.Projection is one.
type Versions interface {
	Await(ctx context.Context, stream string, version int64) (reached int64, err error)
}

// waitMax is the longest that a question may wait. What follows has to fit into
// the server's time for an answer.
const waitMax = 30 * time.Second

// Waiting is what every question of version 2 may bring to be answered from a
// state that is new enough. It is embedded in the inputs of all routes, and
// exported for one reason: the router fills in no others.
type Waiting struct {
	MinPosition Integer `query:"minPosition" minimum:"0" doc:"Answer from a state in which every event up to this position of the store was dealt with: applied, or parked or discarded, which /api/v2/consumers shows. The command's answer has the position."`
	Wait        string  `query:"wait" doc:"How long to wait for minVersion or minPosition, 30s at most. Without, the answer comes at once." example:"2s"`

	atMost time.Duration
}

// Resolve implements [huma.Resolver].
func (w *Waiting) Resolve(ctx huma.Context) []error {
	var faults []error
	at := ctx.URL()
	for name, values := range at.Query() {
		if len(values) > 1 {
			faults = append(faults, queryFault(name, "must be given once"))
		}
	}
	if w.Wait == "" {
		return faults
	}
	var err error
	if w.atMost, err = time.ParseDuration(w.Wait); err != nil || w.atMost < 0 || w.atMost > waitMax {
		faults = append(faults, queryFault("wait", "must be a duration from 0s to 30s, such as 500ms or 2s"))
	}
	return faults
}

func queryFault(name, problem string) error {
	return &huma.ErrorDetail{Location: "query." + name, Message: problem}
}

// awaited is a version of an account that is waited for, if it is given.
type awaited struct {
	id      string
	version Integer
}

// await returns when what was asked for is visible. The error is a problem, or
// that of the read DB.
func (s *service) await(ctx context.Context, w Waiting, v awaited) error {
	if !w.MinPosition.Given && !v.version.Given {
		if w.Wait != "" {
			return web.InvalidField("wait", "needs something to wait for: minVersion on an account, or minPosition")
		}
		return nil
	}
	waiting, end := waitingContext(ctx, w.atMost)
	defer end()
	if v.version.Given {
		reached, err := s.awaitVersion(ctx, waiting, w, v)
		if err := notVisible(reached, v.version.Value, err); err != nil {
			return err
		}
	}
	if !w.MinPosition.Given {
		return nil
	}
	reached, err := s.awaitPosition(ctx, waiting, w)
	return notVisible(reached, w.MinPosition.Value, err)
}

// awaitVersion waits by the projection, which knows what is committed, and looks
// itself where nobody waits or the waiting has come to nothing: what is there is
// there, however little time was given.
func (s *service) awaitVersion(ctx, waiting context.Context, w Waiting, v awaited) (reached int64, err error) {
	wanted := v.version.Value
	if account.CheckAccountID(v.id) != nil {
		return wanted, nil //nolint:nilerr // there will never be such an account, and it will not be found
	}
	reached = event.NoVersion
	if w.atMost > 0 && s.versions != nil {
		reached, err = s.versions.Await(waiting, v.id, wanted)
		if err == nil || ctx.Err() != nil {
			return reached, err
		}
	}
	found, failed := s.accounts.FindAccountByID(ctx, v.id)
	switch {
	case errors.Is(failed, readmodel.ErrNotFound):
		return reached, err
	case failed != nil:
		return reached, failed
	case found.Version >= wanted:
		return found.Version, nil
	}
	return max(reached, found.Version), err
}

// awaitPosition looks once, too.
func (s *service) awaitPosition(ctx, waiting context.Context, w Waiting) (reached int64, err error) {
	reached, err = s.frontier.look(ctx, w.MinPosition.Value)
	if err != nil || reached >= w.MinPosition.Value || w.atMost == 0 {
		return reached, err
	}
	return s.frontier.await(waiting, w.MinPosition.Value)
}

// notVisible is the problem of what has not come that far, nil if it has. A
// client that has left does not read it.
func notVisible(reached, wanted int64, err error) error {
	switch {
	case errors.Is(err, projection.ErrTooManyWaiters):
		return web.TooManyRequests("too many queries wait at this moment", retryAfter)
	case errors.Is(err, readmodel.ErrUnavailable):
		return err
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded), err == nil && reached < wanted:
		return web.NotYetVisible(reached, retryAfter)
	case err != nil:
		return errors.Join(readmodel.ErrUnavailable, err)
	}
	return nil
}

// waitingContext ends after a time, and earlier when the server is to stop.
func waitingContext(ctx context.Context, atMost time.Duration) (waiting context.Context, end func()) {
	waiting, cancel := context.WithTimeout(ctx, atMost)
	var watch sync.WaitGroup
	watch.Go(func() {
		select {
		case <-web.Draining(ctx):
			cancel()
		case <-waiting.Done():
		}
	})
	return waiting, func() {
		cancel()
		watch.Wait()
	}
}
