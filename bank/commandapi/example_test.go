package commandapi_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"

	"passbook/bank/commandapi"
	"passbook/bank/web"
	contract "passbook/contract/account"
	"passbook/engine/memory"
	"passbook/es/aggregate"
	"passbook/es/eventstore"
)

// The command service: what is sent, and what is answered. serve, below, shows
// what it stands on.
func Example() {
	api, stop := serve()
	send := func(method, path, body string) string {
		request := httptest.NewRequest(method, path, strings.NewReader(body))
		request.Header.Set("Content-Type", "application/json")
		request.Header.Set("Idempotency-Key", method+path)
		answer := httptest.NewRecorder()
		api.ServeHTTP(answer, request)
		fmt.Println(answer.Code, "version", answer.Header().Get("ETag"), "replayed:", answer.Header().Get("Idempotent-Replayed") != "")
		return answer.Body.String()
	}
	body := send(http.MethodPost, "/api/v1/openBankAccount", `{"accountHolder":"John Doe","accountType":"SAVINGS","openingBalance":50.0}`)
	id := regexp.MustCompile(`"id":"(.+?)"`).FindStringSubmatch(body)[1]
	fmt.Println(send(http.MethodPut, "/api/v1/depositFunds/"+id, `{"amount":100.1}`))
	fmt.Println(send(http.MethodPut, "/api/v1/depositFunds/"+id, `{"amount":100.10}`))
	refusal := send(http.MethodPut, "/api/v1/withdrawFunds/"+id, `{"amount":-7}`)
	fmt.Println(regexp.MustCompile(`"message":".+?"`).FindString(refusal))

	stop()

	// Output:
	// 201 version "0" replayed: false
	// 200 version "1" replayed: false
	// {"message":"Deposit funds request completed successfully!"}
	// 200 version "1" replayed: true
	// {"message":"Deposit funds request completed successfully!"}
	// 400 version  replayed: false
	// "message":"The withdraw amount must be greater than 0!"
}

// Money in version 2 is a decimal string with its currency, and every answer
// tells where the account stands, a repeated one where it stood.
func Example_version2() {
	api, stop := serve()
	defer stop()
	send := func(key, path, body string) {
		request := httptest.NewRequest(http.MethodPost, "/api/v2/accounts"+path, strings.NewReader(body))
		request.Header.Set("Content-Type", "application/json")
		request.Header.Set("Idempotency-Key", key)
		answer := httptest.NewRecorder()
		api.ServeHTTP(answer, request)
		fmt.Println(answer.Code, answer.Header().Get("Location"), answer.Body.String())
	}
	const euros = `{"amount":{"amount":"12.50","currency":"EUR"}}`
	send("1", "", `{"accountHolder":"John Doe","accountType":"SAVINGS","accountId":"john-1"}`)
	send("2", "/john-1/deposits", euros)
	send("3", "/john-1/withdrawals", euros)
	send("2", "/john-1/deposits", euros)
	send("4", "/john-1/closure", "")

	// Output:
	// 201 /api/v2/accounts/john-1 {"accountId":"john-1","version":0,"position":1,"balance":{"amount":"0.00","currency":"EUR"}}
	// 201  {"accountId":"john-1","version":1,"position":2,"balance":{"amount":"12.50","currency":"EUR"}}
	// 201  {"accountId":"john-1","version":2,"position":3,"balance":{"amount":"0.00","currency":"EUR"}}
	// 201  {"accountId":"john-1","version":1,"position":2,"balance":{"amount":"12.50","currency":"EUR"}}
	// 201  {"accountId":"john-1","version":3,"position":4}
}

// serve makes a command API over an event store that works until it is stopped.
func serve() (api *web.API, stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	store, err := eventstore.New(ctx, memory.NewEventStore(), eventstore.Config{})
	if err != nil {
		log.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- store.Run(ctx) }()
	euro, err := contract.ParseCurrency("EUR")
	if err != nil {
		log.Fatal(err)
	}
	api, err = commandapi.New(commandapi.Config{
		Repository: aggregate.NewRepository(store, commandapi.Definition(), aggregate.Config{}),
		Currency:   euro,
		Version:    "2.0.0",
	})
	if err != nil {
		log.Fatal(err)
	}
	return api, func() {
		cancel()
		if err := <-ended; err != nil {
			log.Fatal(err)
		}
	}
}
