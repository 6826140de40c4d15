package commandapi

import (
	"context"
	"net/http"

	"passbook/bank/account"
	"passbook/bank/web"
	contract "passbook/contract/account"
)

type v2CloseBody struct {
	Reason *string `json:"reason,omitempty" minLength:"1" maxLength:"200"`
}

type v2CloseInput struct {
	RequestHeaders
	ID   string       `path:"id" doc:"The account's id."`
	Body *v2CloseBody // may be left out as a whole
}

type v2CloseOutput struct {
	AnswerHeaders
	Body v2Done
}

func (s *service) v2CloseAccount(api *web.API) {
	const more = "/closure"
	web.Register(api, v2Operation(
		web.Operation{
			ID: "closeAccount", Method: http.MethodPost, Path: v2AccountPath("{id}", more), Summary: "Close an account",
			Doc: "An account with money in it is not closed.", Status: http.StatusCreated,
		},
		examples("201", `{"reason":"moved away"}`, `{"accountId":"john-1","version":3,"position":4}`),
		web.CodeAccountNotFound, web.CodeAccountClosed, web.CodeBalanceNotZero,
	), func(ctx context.Context, in *v2CloseInput) (*v2CloseOutput, error) {
		reason, err := in.Body.reason()
		if err != nil {
			return nil, err
		}
		if err := checkPathID(in.ID); err != nil {
			return nil, err
		}
		how := in.circumstances(s.actor(ctx))
		if !how.Key.IsZero() {
			how.RequestHash = requestHash(http.MethodPost, v2AccountPath(in.ID, more), in.IfMatch, reason)
		}
		sent, err := s.commands.Send(ctx, how, account.CloseAccount{AccountID: in.ID, Reason: reason})
		if err != nil {
			return nil, err
		}
		return &v2CloseOutput{AnswerHeaders: answerHeaders(sent), Body: v2DoneOf(sent)}, nil
	})
}

func (b *v2CloseBody) reason() (string, error) {
	if b == nil {
		return "", nil
	}
	var faults v2Faults
	reason := faults.text(b.Reason, contract.CheckReason)
	return reason, faults.problem()
}
