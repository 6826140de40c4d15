package web_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"

	"passbook/bank/web"
)

// depositInput is what a request brings: path, headers, query and body, each by
// its tag. The body takes no unknown members.
type depositInput struct {
	ID   string `path:"id"`
	Key  string `header:"Idempotency-Key" maxLength:"255"`
	Body struct {
		Amount    money  `json:"amount"`
		Reference string `json:"reference,omitempty"`
	}
}

type money struct {
	Amount   string `json:"amount" doc:"A decimal."`
	Currency string `json:"currency"`
}

// depositOutput: fields beside Status and Body are headers.
type depositOutput struct {
	ETag string `header:"ETag"`
	Body struct {
		AccountID string `json:"accountId"`
		Version   int64  `json:"version"`
		Balance   money  `json:"balance"`
	}
}

// depositV1 ignores members that it does not know: the field named _ says so,
// to the decoder and to the document.
type depositV1 struct {
	_      struct{}   `additionalProperties:"true"`
	Amount web.Number `json:"amount,omitempty"`
}

type depositV1Input struct {
	ID   string `path:"id"`
	Body depositV1
}

type messageOutput struct {
	Body struct {
		Message string `json:"message"`
	}
}

var errClosed = errors.New("account is closed")

// translate is where the errors of a domain become problems.
func translate(_ context.Context, err error) *web.Problem {
	if errors.Is(err, errClosed) {
		return web.AccountClosed("Funds cannot be deposited into a closed bank account!")
	}
	return nil
}

// adjust gives version 1 its own statuses, and the member that its clients read.
func adjust(path string, p *web.Problem) {
	if !strings.HasPrefix(path, "/api/v1/") {
		return
	}
	p.Message = p.Detail
	if p.Code == web.CodeAccountClosed {
		p.Status = http.StatusBadRequest
	}
}

// newExampleAPI has two routes: one of version 2, strict, and one of version 1.
func newExampleAPI() (*web.API, error) {
	api, err := web.New(web.Config{Title: "Command API", Version: "2.0.0", Translate: translate, Adjust: adjust})
	if err != nil {
		return nil, err
	}
	web.Register(api, web.Operation{
		ID: "deposit", Method: http.MethodPost, Path: "/api/v2/accounts/{id}/deposits",
		Summary: "Deposit money", Status: http.StatusCreated, Scope: "command",
		Problems: []web.Code{web.CodeAccountNotFound, web.CodeAccountClosed},
	}, func(_ context.Context, in *depositInput) (*depositOutput, error) {
		out := &depositOutput{ETag: `"7"`}
		out.Body.AccountID, out.Body.Version, out.Body.Balance = in.ID, 7, in.Body.Amount
		return out, nil
	})
	web.Register(api, web.Operation{
		ID: "depositFunds", Method: http.MethodPut, Path: "/api/v1/depositFunds/{id}",
		Problems: []web.Code{web.CodeAccountClosed},
	}, func(_ context.Context, in *depositV1Input) (*messageOutput, error) {
		if in.ID == "closed" {
			return nil, errClosed
		}
		out := &messageOutput{}
		out.Body.Message = "read " + string(in.Body.Amount)
		return out, nil
	})
	return api, nil
}

func Example() {
	api, err := newExampleAPI()
	if err != nil {
		log.Fatal(err)
	}
	send := func(method, path, body string) {
		request := httptest.NewRequest(method, path, strings.NewReader(body))
		request.Header.Set("Content-Type", "application/json")
		answer := httptest.NewRecorder()
		api.ServeHTTP(answer, request)
		fmt.Println(answer.Code, answer.Body)
	}
	send("POST", "/api/v2/accounts/a1/deposits", `{"amount":{"amount":"12.50","currency":"EUR"}}`)
	send("POST", "/api/v2/accounts/a1/deposits", `{"amount":{"amount":"12.50","Currency":"EUR"}}`)
	send("PUT", "/api/v1/depositFunds/a1/", `{"id":"other","amount":100.10,"Amount":"-7"}`)
	send("PUT", "/api/v1/depositFunds/closed", `{"amount":1}`)

	// Output:
	// 201 {"accountId":"a1","version":7,"balance":{"amount":"12.50","currency":"EUR"}}
	// 400 {"type":"/docs#invalid-request","title":"The request is not valid","status":400,"detail":"amount.Currency: the member is not known here","code":"invalid-request","errors":[{"field":"amount.Currency","detail":"the member is not known here"}]}
	// 200 {"message":"read 100.10"}
	// 400 {"type":"/docs#account-closed","title":"The account is closed","status":400,"detail":"Funds cannot be deposited into a closed bank account!","code":"account-closed","message":"Funds cannot be deposited into a closed bank account!"}
}

// A service's whole life: the address is taken before anything else starts, so
// that one in use shows at once; Run serves until its context ends.
func ExampleServer() {
	api, err := web.New(web.Config{Title: "Query API", Version: "2.0.0"})
	if err != nil {
		log.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	server := web.NewServer("127.0.0.1:0", web.LocalHost(api), nil)
	if err := server.Listen(ctx); err != nil {
		log.Fatalf("PASSBOOK_QUERY_ADDR: %v", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Run(ctx) }()

	answer, err := http.Get("http://" + server.Addr() + "/openapi.json")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(answer.StatusCode, answer.Header.Get("Content-Type"))
	_ = answer.Body.Close()

	stop()
	fmt.Println(<-ended)

	// Output:
	// 200 application/json
	// <nil>
}
