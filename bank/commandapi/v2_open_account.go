package commandapi

import (
	"context"
	"net/http"

	"passbook/bank/account"
	"passbook/bank/web"
	contract "passbook/contract/account"
	"passbook/es/event"
)

// v2OpenBody takes null for a member that is left out, here and in the bodies of
// the other routes.
type v2OpenBody struct {
	AccountHolder  string   `json:"accountHolder" minLength:"1" maxLength:"200"`
	AccountType    string   `json:"accountType" enum:"SAVINGS,CURRENT"`
	OpeningBalance *v2Money `json:"openingBalance,omitempty" doc:"0 if left out."`
	Currency       *string  `json:"currency,omitempty" doc:"The account's; that of the opening balance, or else the service's, if left out."`
	Phone          *string  `json:"phone,omitempty" minLength:"1" maxLength:"200"`
	Email          *string  `json:"email,omitempty" minLength:"1" maxLength:"200"`
	AccountID      *string  `json:"accountId,omitempty" pattern:"^[A-Za-z0-9._-]{1,64}$" doc:"Chosen by the service if left out. Neither . nor .. is one."`
}

// command reads the body. The error is a *web.Problem with all its faults.
func (b *v2OpenBody) command() (account.OpenAccount, error) {
	var faults v2Faults
	faults.add(contract.CheckAccountHolder(b.AccountHolder))
	kind, err := contract.ParseType(b.AccountType)
	faults.add(err)
	c := account.OpenAccount{
		Holder:         b.AccountHolder,
		Type:           kind,
		OpeningBalance: b.OpeningBalance.opening(&faults),
		Phone:          faults.text(b.Phone, contract.CheckPhone),
		Email:          faults.text(b.Email, contract.CheckEmail),
		AccountID:      faults.text(b.AccountID, contract.CheckAccountID),
	}
	if b.Currency != nil {
		c.Currency, err = contract.ParseCurrency(*b.Currency)
		faults.add(err)
	}
	return c, faults.problem()
}

// v2OpenHash takes the command as the client has worded it, before anything is
// filled in: what is filled in may be another value at the next attempt.
func v2OpenHash(ifMatch string, c account.OpenAccount) []byte {
	balance := ""
	if !c.OpeningBalance.Currency().IsZero() {
		balance = c.OpeningBalance.String()
	}
	return requestHash(http.MethodPost, v2Accounts, ifMatch,
		c.Holder, string(c.Type), balance, c.Currency.Code(), c.Phone, c.Email, c.AccountID)
}

type v2OpenInput struct {
	RequestHeaders
	Body v2OpenBody
}

type v2OpenOutput struct {
	AnswerHeaders
	Location string `header:"Location" doc:"The account's path in the query API."`
	Body     v2Moved
}

func (s *service) v2OpenAccount(api *web.API) {
	web.Register(api, v2Operation(
		web.Operation{
			ID: "openAccount", Method: http.MethodPost, Path: v2Accounts,
			Summary: "Open an account", Status: http.StatusCreated,
		},
		examples("201",
			`{"accountHolder":"John Doe","accountType":"SAVINGS","openingBalance":{"amount":"50.00","currency":"EUR"},"accountId":"john-1"}`,
			`{"accountId":"john-1","version":0,"position":1,"balance":{"amount":"50.00","currency":"EUR"}}`),
		web.CodeAccountExists, web.CodeCurrencyMismatch, web.CodeCurrencyUnknown,
	), func(ctx context.Context, in *v2OpenInput) (*v2OpenOutput, error) {
		c, err := in.Body.command()
		if err != nil {
			return nil, err
		}
		how := in.circumstances(s.actor(ctx))
		in.expectAbsent(&how)
		if !how.Key.IsZero() {
			how.RequestHash = v2OpenHash(in.IfMatch, c)
		}
		s.complete(&c)
		sent, err := s.commands.Send(ctx, how, c)
		if err != nil {
			return nil, err
		}
		body, err := v2MovedOf(sent)
		if err != nil {
			return nil, err
		}
		return &v2OpenOutput{AnswerHeaders: answerHeaders(sent), Location: v2AccountPath(sent.Stream, ""), Body: body}, nil
	})
}

// complete fills in what the client has left to the service.
func (s *service) complete(c *account.OpenAccount) {
	if c.AccountID == "" {
		c.AccountID = event.NewID()
	}
	if c.Currency.IsZero() && c.OpeningBalance.Currency().IsZero() {
		c.Currency = s.currency
	}
}
