package consumers

import (
	"context"
	"errors"
	"time"

	"passbook/bank/web"
	"passbook/es/projection"
)

// retryAfter is when a database may be back.
const retryAfter = time.Second

// unread is the answer where nothing was to be changed.
func (s *service) unread(ctx context.Context, err error) error {
	if errors.Is(err, projection.ErrNotParked) {
		return web.NotFound("the stream is not parked")
	}
	s.Log.ErrorContext(ctx, "parked streams cannot be read", "error", err)
	return web.Unavailable("the database of the read model does not answer", retryAfter)
}

// undecided is the answer where something was to be changed. A commit that is
// not answered may have taken place.
func (s *service) undecided(ctx context.Context, err error) error {
	if errors.Is(err, projection.ErrNotParked) {
		return web.NotFound("the stream is not parked")
	}
	s.Log.ErrorContext(ctx, "parked stream could not be worked on to the end", "error", err)
	return web.OutcomeUnknown("the database of the read model did not answer: look at the stream again")
}
