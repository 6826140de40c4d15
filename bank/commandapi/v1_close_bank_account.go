package commandapi

import (
	"context"
	"net/http"

	"passbook/bank/account"
	"passbook/bank/web"
)

type v1CloseInput struct {
	RequestHeaders
	ID string `path:"id" doc:"The account's id."`
}

func (s *service) v1CloseBankAccount(api *web.API) {
	const path = v1Prefix + "closeBankAccount/"
	web.Register(api, v1Operation(web.Operation{
		ID: "closeBankAccount", Method: http.MethodDelete, Path: path + "{id}", Summary: "Close an account",
		Doc: "The account is closed whatever its balance is.",
	}, web.CodeAccountNotFound, web.CodeAccountClosed,
	), func(ctx context.Context, in *v1CloseInput) (*v1Output, error) {
		if err := checkPathID(in.ID); err != nil {
			return nil, err
		}
		how := in.circumstances(s.actor(ctx))
		if !how.Key.IsZero() {
			how.RequestHash = requestHash(http.MethodDelete, path+in.ID, in.IfMatch)
		}
		result, err := s.v1Send(ctx, how, account.CloseAccount{AccountID: in.ID, AllowBalance: true},
			"Error while processing request to close bank account for id - "+in.ID+".")
		if err != nil {
			return nil, err
		}
		return v1Done("Bank account closure request successfully completed!", result), nil
	})
}
