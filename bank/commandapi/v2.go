package commandapi

import (
	"github.com/danielgtaylor/huma/v2"

	"passbook/bank/web"
	"passbook/es/command"
)

const (
	v2Accounts = "/api/v2/accounts"
	v2Restores = "/api/v2/read-model/restores"
	v2Tag      = "version 2"
)

// registerV2 adds the routes of version 2.
func (s *service) registerV2(api *web.API) {
	s.v2OpenAccount(api)
	s.v2DepositFunds(api)
	s.v2WithdrawFunds(api)
	s.v2CloseAccount(api)
	s.v2RequestRestore(api)
	s.v2FindRestore(api)
}

// v2AccountPath is the address of an account, or of what may be done with it.
// An id needs no escapes; its rules see to that.
func v2AccountPath(id, more string) string { return v2Accounts + "/" + id + more }

// v2Operation is a route of version 2 that gives a command.
func v2Operation(op web.Operation, document func(*huma.Operation), problems ...web.Code) web.Operation {
	op.Tags = []string{v2Tag}
	op.Document = document
	return commandOperation(op, problems...)
}

// v2Done is the body of every success: where the command's event stands.
type v2Done struct {
	AccountID string `json:"accountId"`
	Version   int64  `json:"version" doc:"The account's version after the command."`
	Position  int64  `json:"position" doc:"The event's position among all events of the store."`
}

// v2Moved is v2Done where money is moved. It repeats the members because the
// document would not have those of an embedded struct.
type v2Moved struct {
	AccountID string  `json:"accountId"`
	Version   int64   `json:"version" doc:"The account's version after the command."`
	Position  int64   `json:"position" doc:"The event's position among all events of the store."`
	Balance   v2Money `json:"balance" doc:"The balance after the command."`
}

func v2DoneOf(sent command.Result) v2Done {
	return v2Done{AccountID: sent.Stream, Version: sent.Version, Position: sent.Position}
}

// v2MovedOf takes the balance from what is kept with the command, so that a
// repeated answer has the balance of then.
func v2MovedOf(sent command.Result) (v2Moved, error) {
	kept, err := readResult(sent.Data)
	if err != nil {
		return v2Moved{}, err
	}
	return v2Moved{
		AccountID: sent.Stream, Version: sent.Version, Position: sent.Position, Balance: v2MoneyOf(kept.Balance),
	}, nil
}
