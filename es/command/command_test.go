package command_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"passbook/es/command"
)

type park struct{ Plate string }

func TestSend(t *testing.T) {
	t.Parallel()
	full := errors.New("the garage is full")
	newDispatcher := func(middleware ...command.Middleware) *command.Dispatcher {
		d := command.NewDispatcher(middleware...)
		command.Handle(d, func(_ context.Context, how command.Circumstances, c park) (command.Result, error) {
			if c.Plate == "" {
				return command.Result{}, full
			}
			return command.Result{Stream: c.Plate, Version: 3, Data: []byte(how.ID)}, nil
		})
		return d
	}

	t.Run("OK", func(t *testing.T) {
		t.Parallel()
		result, err := newDispatcher().Send(t.Context(), command.Circumstances{ID: "c1"}, park{"B-1"})
		require.NoError(t, err)
		require.Equal(t, command.Result{Stream: "B-1", Version: 3, Data: []byte("c1")}, result)
	})
	t.Run("HandlersError", func(t *testing.T) {
		t.Parallel()
		_, err := newDispatcher().Send(t.Context(), command.Circumstances{}, park{})
		require.ErrorIs(t, err, full)
	})
	t.Run("ErrNoHandler", func(t *testing.T) {
		t.Parallel()
		_, err := newDispatcher().Send(t.Context(), command.Circumstances{}, &park{})
		require.ErrorIs(t, err, command.ErrNoHandler)
	})
	t.Run("MiddlewareAround", func(t *testing.T) {
		t.Parallel()
		var order []string
		note := func(name string) command.Middleware {
			return func(next command.Handler) command.Handler {
				return func(ctx context.Context, how command.Circumstances, c any) (command.Result, error) {
					order = append(order, name+" in")
					defer func() { order = append(order, name+" out") }()
					return next(ctx, how, c)
				}
			}
		}
		_, err := newDispatcher(note("outer"), note("inner")).Send(t.Context(), command.Circumstances{}, park{"B-1"})
		require.NoError(t, err)
		require.Equal(t, []string{"outer in", "inner in", "inner out", "outer out"}, order)
	})
	t.Run("CommandReplacedByMiddleware", func(t *testing.T) {
		t.Parallel()
		swap := func(next command.Handler) command.Handler {
			return func(ctx context.Context, how command.Circumstances, _ any) (command.Result, error) {
				return next(ctx, how, "other")
			}
		}
		_, err := newDispatcher(swap).Send(t.Context(), command.Circumstances{}, park{"B-1"})
		require.ErrorContains(t, err, "replaced")
	})
	t.Run("TwoHandlers", func(t *testing.T) {
		t.Parallel()
		d := newDispatcher()
		require.Panics(t, func() {
			command.Handle(d, func(context.Context, command.Circumstances, park) (command.Result, error) {
				return command.Result{}, nil
			})
		})
	})
}

func ExampleDispatcher_Send() {
	d := command.NewDispatcher()
	command.Handle(d, func(_ context.Context, _ command.Circumstances, c park) (command.Result, error) {
		return command.Result{Stream: c.Plate}, nil
	})
	result, err := d.Send(context.Background(), command.Circumstances{}, park{Plate: "B-XY 12"})
	fmt.Println(result.Stream, err)
	// Output: B-XY 12 <nil>
}
