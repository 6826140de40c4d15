package commandapi

import (
	"encoding/json"

	"github.com/danielgtaylor/huma/v2"

	"passbook/bank/web"
	contract "passbook/contract/account"
)

// What a caller must hold for a route, where the service was given API keys.
const (
	scopeCommand = "command" // commands on accounts
	scopeOperate = "operate" // restores of the read model
)

// commandOperation is what the routes that give commands have in common.
// problems are those of the command itself.
func commandOperation(op web.Operation, problems ...web.Code) web.Operation {
	op.Scope = scopeCommand
	op.Problems = append(op.Problems, problems...)
	op.Problems = append(op.Problems,
		web.CodeVersionConflict, web.CodeIdempotencyKeyReused, web.CodeIdempotencyKeyInFlight,
		web.CodeTooManyRequests, web.CodeUnavailable, web.CodeOutcomeUnknown)
	more := op.Document
	op.Document = func(described *huma.Operation) {
		described.Responses["412"] = &huma.Response{
			Description: string(web.CodeVersionConflict) + " with If-Match",
			Content:     described.Responses["409"].Content,
		}
		if more != nil {
			more(described)
		}
	}
	return op
}

// examples puts a request and its answer into the document; a test sends the one
// and compares the other. An empty request stands for none.
func examples(status, request, response string) func(*huma.Operation) {
	return func(described *huma.Operation) {
		const media = "application/json"
		if request != "" {
			described.RequestBody.Content[media].Example = json.RawMessage(request)
		}
		described.Responses[status].Content[media].Example = json.RawMessage(response)
	}
}

// checkPathID refuses what cannot be an account's id in the words for an account
// that is not there: to the client it is the same.
func checkPathID(id string) error {
	if contract.CheckAccountID(id) != nil {
		return web.AccountNotFound("Incorrect account ID provided!")
	}
	return nil
}
