package commandapi

import (
	"context"
	"net/http"

	"passbook/bank/web"
	contract "passbook/contract/account"
)

// v2MovementBody is the body of a deposit and of a withdrawal.
type v2MovementBody struct {
	Amount    *v2Money `json:"amount" nullable:"false"`
	Reference *string  `json:"reference,omitempty" minLength:"1" maxLength:"200" doc:"Goes into the statement."`
}

type v2MovementInput struct {
	RequestHeaders
	ID   string `path:"id" doc:"The account's id."`
	Body v2MovementBody
}

type v2MovementOutput struct {
	AnswerHeaders
	Body v2Moved
}

// v2Movement is what deposits and withdrawals differ in.
type v2Movement struct {
	path    string // behind the account's
	command func(accountID string, amount contract.Money, reference string) any
}

func (s *service) v2Move(api *web.API, op web.Operation, m v2Movement) {
	op.Method, op.Path, op.Status = http.MethodPost, v2AccountPath("{id}", m.path), http.StatusCreated
	web.Register(api, op, func(ctx context.Context, in *v2MovementInput) (*v2MovementOutput, error) {
		var faults v2Faults
		amount := in.Body.Amount.movement(&faults)
		reference := faults.text(in.Body.Reference, contract.CheckReference)
		if err := faults.problem(); err != nil {
			return nil, err
		}
		if err := checkPathID(in.ID); err != nil {
			return nil, err
		}
		how := in.circumstances(s.actor(ctx))
		if !how.Key.IsZero() {
			how.RequestHash = requestHash(http.MethodPost, v2AccountPath(in.ID, m.path), in.IfMatch, amount.String(), reference)
		}
		sent, err := s.commands.Send(ctx, how, m.command(in.ID, amount, reference))
		if err != nil {
			return nil, err
		}
		body, err := v2MovedOf(sent)
		if err != nil {
			return nil, err
		}
		return &v2MovementOutput{AnswerHeaders: answerHeaders(sent), Body: body}, nil
	})
}
