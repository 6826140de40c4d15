package query_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"passbook/es/query"
)

type findBalance struct{ Account string }

type balance int

func TestAsk(t *testing.T) {
	t.Parallel()
	unknown := errors.New("unknown account")
	newDispatcher := func(middleware ...query.Middleware) *query.Dispatcher {
		d := query.NewDispatcher(middleware...)
		query.Handle(d, func(_ context.Context, q findBalance) (balance, error) {
			if q.Account != "a" {
				return 0, unknown
			}
			return 7, nil
		})
		return d
	}

	t.Run("OK", func(t *testing.T) {
		t.Parallel()
		got, err := query.Ask[balance](t.Context(), newDispatcher(), findBalance{"a"})
		require.NoError(t, err)
		require.Equal(t, balance(7), got)
	})
	t.Run("HandlersError", func(t *testing.T) {
		t.Parallel()
		_, err := query.Ask[balance](t.Context(), newDispatcher(), findBalance{"b"})
		require.ErrorIs(t, err, unknown)
	})
	t.Run("ErrNoHandler", func(t *testing.T) {
		t.Parallel()
		_, err := query.Ask[balance](t.Context(), newDispatcher(), struct{}{})
		require.ErrorIs(t, err, query.ErrNoHandler)
	})
	t.Run("AnswerOfAnotherType", func(t *testing.T) {
		t.Parallel()
		_, err := query.Ask[string](t.Context(), newDispatcher(), findBalance{"a"})
		require.ErrorContains(t, err, "query_test.balance, not string")
	})
	t.Run("QuestionReplacedByMiddleware", func(t *testing.T) {
		t.Parallel()
		swap := func(next query.Handler) query.Handler {
			return func(ctx context.Context, _ any) (any, error) { return next(ctx, "other") }
		}
		_, err := query.Ask[balance](t.Context(), newDispatcher(swap), findBalance{"a"})
		require.ErrorContains(t, err, "replaced")
	})
	t.Run("TwoHandlers", func(t *testing.T) {
		t.Parallel()
		d := newDispatcher()
		require.Panics(t, func() {
			query.Handle(d, func(context.Context, findBalance) (balance, error) { return 0, nil })
		})
	})
}

func ExampleAsk() {
	traced := func(next query.Handler) query.Handler {
		return func(ctx context.Context, question any) (any, error) {
			fmt.Printf("asked %+v\n", question)
			return next(ctx, question)
		}
	}
	d := query.NewDispatcher(traced)
	query.Handle(d, func(context.Context, findBalance) (balance, error) { return 12, nil })

	answer, err := query.Ask[balance](context.Background(), d, findBalance{Account: "a"})
	fmt.Println(answer, err)
	// Output:
	// asked {Account:a}
	// 12 <nil>
}
