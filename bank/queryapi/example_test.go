package queryapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"time"

	"passbook/bank/queryapi"
	"passbook/bank/readmodel"
	"passbook/contract/account"
	"passbook/engine/sqlite"
	"passbook/es/event"
	"passbook/es/projection"
	"passbook/es/projection/projectiontest"
)

// The query service from the feed to its answers.
func Example() {
	folder, err := os.MkdirTemp("", "passbook")
	if err != nil {
		log.Fatal(err)
	}
	if err := errors.Join(serveExample(folder), os.RemoveAll(folder)); err != nil {
		log.Fatal(err)
	}

	// Output:
	// 200
	// {
	//   "message": "Successfully returned bank account",
	//   "bankAccounts": [
	//     {
	//       "id": "acc-1",
	//       "accountHolder": "John Doe",
	//       "creationDate": "2026-11-22T06:23:01.949+00:00",
	//       "accountType": "SAVINGS",
	//       "balance": 150.1
	//     }
	//   ]
	// }
	// 204
}

func serveExample(folder string) (err error) {
	ctx := context.Background()
	store, err := sqlite.OpenProjectionStore(ctx, filepath.Join(folder, "readmodel.db"), sqlite.Rebuildable)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	if err := readmodel.Migrate(ctx, store.DB(), readmodel.SQLite); err != nil {
		return err
	}
	model, err := readmodel.NewModel(readmodel.SQLite, readmodel.LiveTables())
	if err != nil {
		return err
	}
	consumer, err := projection.New("bankaccConsumer", store, model, projection.Config{})
	if err != nil {
		return err
	}
	feed := exampleFeed()
	if err := consumer.RunToEnd(ctx, feed, feed.Topic); err != nil {
		return err
	}

	accounts, err := readmodel.NewReader(store.DB(), readmodel.SQLite)
	if err != nil {
		return err
	}
	api, err := queryapi.New(queryapi.Config{Accounts: accounts, Version: "2.0.0"})
	if err != nil {
		return err
	}
	for _, path := range []string{"/byHolder/John%20Doe", "/withBalance/LESS_THEN/100"} {
		answer := httptest.NewRecorder()
		api.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/api/v1/bankAccountLookup"+path, nil))
		fmt.Println(answer.Code)
		if answer.Code == http.StatusOK {
			var readable bytes.Buffer
			err = errors.Join(err, json.Indent(&readable, answer.Body.Bytes(), "", "  "))
			fmt.Println(&readable)
		}
	}
	return err
}

// exampleFeed is a topic with an account's first two events.
func exampleFeed() *projectiontest.Topic {
	feed := projectiontest.NewTopic("t1", 1, projectiontest.NewHistory("h1"))
	for version, one := range []struct{ name, data string }{
		{account.OpenedName, `{"accountHolder":"John Doe","accountType":"SAVINGS","openingBalance":{"amount":"50.00","currency":"EUR"}}`},
		{account.DepositedName, `{"amount":{"amount":"100.10","currency":"EUR"},"balance":{"amount":"150.10","currency":"EUR"}}`},
	} {
		feed.Publish(0, event.Envelope{
			ID: event.NewID(), Stream: "acc-1", Version: int64(version), Position: int64(version) + 1,
			Type: event.Type{Name: one.name, Schema: 1}, Time: time.Date(2026, 11, 22, 6, 23, 1, 949_000_000, time.UTC),
			Data: []byte(one.data),
		})
	}
	return feed
}
