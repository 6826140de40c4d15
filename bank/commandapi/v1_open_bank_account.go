package commandapi

import (
	"context"
	"net/http"

	"passbook/bank/account"
	"passbook/bank/web"
	contract "passbook/contract/account"
	"passbook/es/event"
)

// v1OpenBody ignores members that it does not have, an id among them: the
// service chooses it.
type v1OpenBody struct {
	_              struct{} `additionalProperties:"true"`
	AccountHolder  string   `json:"accountHolder" minLength:"1" maxLength:"200"`
	AccountType    string   `json:"accountType" enum:"SAVINGS,CURRENT"`
	OpeningBalance v1Amount `json:"openingBalance,omitempty"`
}

type v1OpenInput struct {
	RequestHeaders
	Body v1OpenBody
}

type v1OpenOutput struct {
	AnswerHeaders
	Body v1OpenAnswer
}

type v1OpenAnswer struct {
	Message string `json:"message"`
	ID      string `json:"id" doc:"The new account's id."`
}

func (s *service) v1OpenBankAccount(api *web.API) {
	const path = v1Prefix + "openBankAccount"
	web.Register(api, v1Operation(web.Operation{
		ID: "openBankAccount", Method: http.MethodPost, Path: path,
		Summary: "Open an account", Status: http.StatusCreated,
	}), func(ctx context.Context, in *v1OpenInput) (*v1OpenOutput, error) {
		balance, err := in.Body.OpeningBalance.balance(s.currency)
		if err != nil {
			return nil, err
		}
		c := account.OpenAccount{
			AccountID:      event.NewID(),
			Holder:         in.Body.AccountHolder,
			Type:           contract.Type(in.Body.AccountType),
			OpeningBalance: balance,
		}
		how := in.circumstances(s.actor(ctx))
		in.expectAbsent(&how)
		if !how.Key.IsZero() {
			// Without the id, which is another each time.
			how.RequestHash = requestHash(http.MethodPost, path, in.IfMatch, c.Holder, string(c.Type), balance.String())
		}
		result, err := s.v1Send(ctx, how, c,
			"Error while processing request to open a new bank account for id - "+c.AccountID+".")
		if err != nil {
			return nil, err
		}
		return &v1OpenOutput{AnswerHeaders: answerHeaders(result), Body: v1OpenAnswer{
			Message: "Bank account creations request completed successfully!",
			ID:      result.Stream,
		}}, nil
	})
}
