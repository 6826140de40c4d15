package queryapi

import (
	"context"
	"errors"
	"time"

	"passbook/bank/readmodel"
	"passbook/bank/web"
)

const (
	// retryAfter is when it is worth to come back after what passes by itself.
	retryAfter   = time.Second
	readDBSilent = "the read DB does not answer"
)

// translate is the API's [web.Config].Translate. Whatever becomes of a question,
// nothing has happened, so that an end of the request's context is no unknown
// outcome either.
func translate(_ context.Context, err error) *web.Problem {
	switch {
	case errors.Is(err, readmodel.ErrBusy):
		return web.Unavailable("too many long lists are being read", retryAfter)
	case errors.Is(err, readmodel.ErrUnavailable):
		return web.Unavailable(readDBSilent, retryAfter)
	}
	return nil
}
