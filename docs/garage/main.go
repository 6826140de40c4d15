// Command garage is a parking garage with three places: a small application on
// passbook's toolkit. docs/second-application.md builds it step by step.
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"os"
	"os/signal"

	"passbook/engine/sqlite"
	"passbook/es/aggregate"
	"passbook/es/event"
	"passbook/es/eventstore"
	"passbook/es/projection"
	"passbook/es/relay"
	"passbook/es/run"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()

	garage := must(definition())
	engine := must(sqlite.OpenEventStore(ctx, "garage-events.db"))
	events := must(eventstore.New(ctx, engine, eventstore.Config{}))
	garages := aggregate.NewRepository(events, garage, aggregate.Config{})

	tables := must(sqlite.OpenProjectionStore(ctx, "garage-cars.db", sqlite.Rebuildable))
	must(tables.DB().ExecContext(ctx, carsTable))
	model := projection.Each(must(tables.Journal(ctx, "cars")), project(garage.Codec))
	cars := must(projection.New("cars", tables, model, projection.Config{
		Subscriber: relay.NewDirect(events, relay.Config{}),
	}))

	command := func(decide func(Garage, string) ([]any, error)) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			done, err := garages.Execute(r.Context(), aggregate.Request[Garage]{
				Stream:      "garage-1",
				Decide:      func(g Garage) ([]any, error) { return decide(g, r.PathValue("plate")) },
				Key:         event.Key{Value: r.Header.Get("Idempotency-Key")},
				RequestHash: []byte(r.Method + r.URL.Path),
			})
			if err == nil { // whoever looks next sees it
				_, err = cars.Await(r.Context(), done.Stream, done.Version)
			}
			if err != nil {
				http.Error(w, err.Error(), http.StatusConflict)
			}
		}
	}
	http.HandleFunc("PUT /cars/{plate}", command(Enter))
	http.HandleFunc("DELETE /cars/{plate}", command(Leave))
	http.HandleFunc("GET /cars", func(w http.ResponseWriter, r *http.Request) {
		var list string
		row := tables.DB().QueryRowContext(r.Context(), `SELECT coalesce(group_concat(plate, ' ' ORDER BY plate), '') FROM car`)
		if err := row.Scan(&list); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		fmt.Fprintln(w, list)
	})
	server := &http.Server{Addr: cmp.Or(os.Getenv("GARAGE_ADDR"), "127.0.0.1:5050")}
	log.Print("the garage is open at http://", server.Addr)
	err := run.All(ctx,
		run.Part{Name: "events", Run: events.Run},
		run.Part{Name: "cars", Run: cars.Run},
		run.Part{Name: "http", Run: func(ctx context.Context) error {
			context.AfterFunc(ctx, func() { server.Close() })
			if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
				return err
			}
			return nil
		}})
	log.Print("closed: ", err, tables.Close(), engine.Close())
}

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}
