package commandapi

import (
	"context"
	"net/http"

	"passbook/bank/web"
	contract "passbook/contract/account"
)

// v1MovementBody is the body of a deposit and of a withdrawal. An id in it is
// ignored as any other member: the path wins.
type v1MovementBody struct {
	_      struct{} `additionalProperties:"true"`
	Amount v1Amount `json:"amount"`
}

type v1MovementInput struct {
	RequestHeaders
	ID   string `path:"id" doc:"The account's id."`
	Body v1MovementBody
}

// v1Movement is what deposits and withdrawals differ in.
type v1Movement struct {
	path    string // without the id
	command func(accountID string, amount contract.Money) any
	done    string // the original's sentences, failed without the id
	failed  string
}

func (s *service) v1Move(api *web.API, op web.Operation, m v1Movement) {
	op.Method, op.Path = http.MethodPut, m.path+"{id}"
	web.Register(api, op, func(ctx context.Context, in *v1MovementInput) (*v1Output, error) {
		if err := checkPathID(in.ID); err != nil {
			return nil, err
		}
		amount, err := in.Body.Amount.movement(s.currency)
		if err != nil {
			return nil, err
		}
		how := in.circumstances(s.actor(ctx))
		if !how.Key.IsZero() {
			how.RequestHash = requestHash(http.MethodPut, m.path+in.ID, in.IfMatch, amount.String())
		}
		result, err := s.v1Send(ctx, how, m.command(in.ID, amount), m.failed+in.ID+".")
		if err != nil {
			return nil, err
		}
		return v1Done(m.done, result), nil
	})
}
