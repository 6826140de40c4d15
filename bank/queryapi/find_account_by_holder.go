package queryapi

import (
	"context"

	"passbook/bank/readmodel"
	"passbook/bank/web"
)

// FindAccountByHolder asks for the open accounts of a holder, whose name is
// compared byte by byte. It is answered by a *readmodel.Accounts, which the one
// who asks closes.
type FindAccountByHolder struct{ AccountHolder string }

func findAccountByHolder(accounts *readmodel.Reader) func(context.Context, FindAccountByHolder) (*readmodel.Accounts, error) {
	return func(ctx context.Context, q FindAccountByHolder) (*readmodel.Accounts, error) {
		return accounts.FindAccountsByHolder(ctx, q.AccountHolder)
	}
}

type v1ByHolderInput struct {
	AccountHolder string `path:"accountHolder" doc:"The holder's whole name, as it was given at the opening: case and spaces count."`
}

func (s *service) v1FindAccountByHolder(api *web.API) {
	web.Register(api, v1Operation(web.Operation{
		ID: "findAccountByHolder", Path: v1Prefix + v1ByHolder + "{accountHolder}", Summary: "The open accounts of a holder",
		Doc: "In the order of their ids. The message is the same for one account and for several.",
	}), func(ctx context.Context, in *v1ByHolderInput) (*v1Output, error) {
		return s.v1List(ctx, FindAccountByHolder{AccountHolder: in.AccountHolder}, func(int64) string { return oneMessage })
	})
}
