package queryapi

import (
	"context"
	"time"

	"passbook/bank/readmodel"
)

// FindAccountAtVersion asks for an account as it was when it had a version. It
// is answered by a readmodel.Account, with readmodel.ErrNotFound or with a
// *readmodel.NotReachedError.
type FindAccountAtVersion struct {
	ID      string
	Version int64
}

func findAccountAtVersion(
	accounts *readmodel.Reader,
) func(context.Context, FindAccountAtVersion) (readmodel.Account, error) {
	return func(ctx context.Context, q FindAccountAtVersion) (readmodel.Account, error) {
		return accounts.FindAccountAtVersion(ctx, q.ID, q.Version)
	}
}

// FindAccountAtTime asks for an account as it was at a moment that has passed.
// It is answered by a readmodel.Account, or with readmodel.ErrNotFound.
type FindAccountAtTime struct {
	ID string
	At time.Time
}

func findAccountAtTime(accounts *readmodel.Reader) func(context.Context, FindAccountAtTime) (readmodel.Account, error) {
	return func(ctx context.Context, q FindAccountAtTime) (readmodel.Account, error) {
		return accounts.FindAccountAtTime(ctx, q.ID, q.At)
	}
}
