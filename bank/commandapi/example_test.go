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
	contract "passbook/contract/account"
	"passbook/engine/memory"
	"passbook/es/aggregate"
	"passbook/es/eventstore"
)

// The command service from its engine to its answers.
func Example() {
	ctx, stop := context.WithCancel(context.Background())
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
	api, err := commandapi.New(commandapi.Config{
		Repository: aggregate.NewRepository(store, commandapi.Definition(), aggregate.Config{}),
		Currency:   euro,
		Version:    "2.0.0",
	})
	if err != nil {
		log.Fatal(err)
	}
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
	fmt.Println(<-ended)

	// Output:
	// 201 version "0" replayed: false
	// 200 version "1" replayed: false
	// {"message":"Deposit funds request completed successfully!"}
	// 200 version "1" replayed: true
	// {"message":"Deposit funds request completed successfully!"}
	// 400 version  replayed: false
	// "message":"The withdraw amount must be greater than 0!"
	// <nil>
}
