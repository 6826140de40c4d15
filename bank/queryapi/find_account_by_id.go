package queryapi

import (
	"context"
	"errors"

	"passbook/bank/readmodel"
	"passbook/bank/web"
	"passbook/contract/account"
	"passbook/es/query"
)

// FindAccountByID asks for one account, open or closed. It is answered by a
// readmodel.Account, or with readmodel.ErrNotFound.
type FindAccountByID struct{ ID string }

func findAccountByID(accounts *readmodel.Reader) func(context.Context, FindAccountByID) (readmodel.Account, error) {
	return func(ctx context.Context, q FindAccountByID) (readmodel.Account, error) {
		return accounts.FindAccountByID(ctx, q.ID)
	}
}

type v1ByIDInput struct {
	ID string `path:"id" doc:"The account's id."`
}

func (s *service) v1FindAccountByID(api *web.API) {
	web.Register(api, v1Operation(web.Operation{
		ID: "findAccountById", Path: v1Prefix + v1ByID + "{id}", Summary: "One account",
		Doc: "A closed account is not found.",
	}), func(ctx context.Context, in *v1ByIDInput) (*v1Output, error) {
		ctx, cancel := context.WithTimeout(ctx, s.timeout)
		defer cancel()
		found, err := query.Ask[readmodel.Account](ctx, s.questions, FindAccountByID{ID: in.ID})
		if errors.Is(err, readmodel.ErrNotFound) || err == nil && found.Status != account.StatusOpen {
			return v1Nothing(), nil
		}
		if err != nil {
			return nil, err
		}
		return v1One(found)
	})
}
