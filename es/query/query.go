// Package query is the mediator on the reading side: a question goes in as a
// struct of its own type, the one handler for that type answers it. Whoever
// asks does not know who answers.
package query

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
)

// ErrNoHandler tells that nobody was registered for the type of the question.
var ErrNoHandler = errors.New("no handler")

// Handler answers questions of one type.
type Handler func(ctx context.Context, question any) (answer any, err error)

// Middleware puts something around every handler: it may look at the question,
// answer in the handler's place, or look at the answer.
type Middleware func(next Handler) Handler

// Dispatcher knows one handler for each type of question. It is put together
// at start-up; after that Ask is safe for concurrent use.
type Dispatcher struct {
	handlers   map[reflect.Type]Handler
	middleware []Middleware
}

// NewDispatcher returns a dispatcher with middleware around every handler, the
// first one outermost.
func NewDispatcher(middleware ...Middleware) *Dispatcher {
	return &Dispatcher{handlers: make(map[reflect.Type]Handler), middleware: middleware}
}

// Handle registers the handler for questions of type Q, which it answers with
// an A. It panics if Q has one already: that is a fault of the program's
// wiring, and is to be seen at its start.
func Handle[Q, A any](d *Dispatcher, handle func(ctx context.Context, question Q) (A, error)) {
	t := reflect.TypeFor[Q]()
	if _, ok := d.handlers[t]; ok {
		panic(fmt.Sprintf("query: two handlers for %s", t))
	}
	handler := Handler(func(ctx context.Context, question any) (any, error) {
		q, ok := question.(Q)
		if !ok {
			return nil, fmt.Errorf("query: middleware replaced %s by %T", t, question)
		}
		return handle(ctx, q)
	})
	for _, around := range slices.Backward(d.middleware) {
		handler = around(handler)
	}
	d.handlers[t] = handler
}

// Ask has a question answered by the handler for its type. The error is the
// handler's own, or ErrNoHandler.
func Ask[A any](ctx context.Context, d *Dispatcher, question any) (A, error) {
	var none A
	handler, ok := d.handlers[reflect.TypeOf(question)]
	if !ok {
		return none, fmt.Errorf("query %T: %w", question, ErrNoHandler)
	}
	answer, err := handler(ctx, question)
	if err != nil {
		return none, err //nolint:wrapcheck // the caller knows what it asked; the handler says what is wrong
	}
	typed, ok := answer.(A)
	if !ok {
		return none, fmt.Errorf("query %T: the answer is %T, not %T", question, answer, none)
	}
	return typed, nil
}
