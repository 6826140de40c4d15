package queryapi

import (
	"context"

	"passbook/bank/readmodel"
	"passbook/bank/web"
)

// FindAllAccounts asks for all open accounts, by their ids. It is answered by a
// *readmodel.Accounts, which the one who asks closes.
type FindAllAccounts struct{}

func findAllAccounts(accounts *readmodel.Reader) func(context.Context, FindAllAccounts) (*readmodel.Accounts, error) {
	return func(ctx context.Context, _ FindAllAccounts) (*readmodel.Accounts, error) {
		return accounts.FindAccounts(ctx)
	}
}

func (s *service) v1FindAllAccounts(api *web.API) {
	web.Register(api, v1Operation(web.Operation{
		ID: "findAllAccounts", Path: v1Prefix, Summary: "All open accounts",
		Doc: "In the order of their ids.",
	}), func(ctx context.Context, _ *struct{}) (*v1Output, error) {
		return s.v1List(ctx, FindAllAccounts{}, countedMessage)
	})
}
