// Package command is the mediator on the writing side: a command goes in as a
// struct of its own type, with the circumstances in which it was given; the one
// handler for that type carries it out and a result comes out. Whoever sends
// does not know who handles.
package command

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"

	"passbook/es/event"
)

// ErrNoHandler tells that nobody was registered for the type of the command.
var ErrNoHandler = errors.New("no handler")

// Circumstances are what is known of a command beside what it wants.
type Circumstances struct {
	// ID names the command, and is the causation id of its events.
	ID string
	// CorrelationID is shared by everything that one request sets off.
	CorrelationID string
	// Actor gave the command.
	Actor event.Actor
	// Key makes the command happen once, however often it is sent. Zero: none.
	Key event.Key
	// RequestHash tells whether a command with a known key is the same one. It
	// covers everything that the client asked for.
	RequestHash []byte
	// ExpectedVersion, if not nil, is the version that the aggregate must have.
	ExpectedVersion *int64
	// TraceParent is a W3C trace context.
	TraceParent string
}

// Result tells where a command's last event stands.
type Result struct {
	Stream            string
	Version, Position int64
	// Data is what the handler wants to be the same when the command is
	// repeated under its key.
	Data []byte
	// Replayed: the command had been carried out before under its key, and this
	// is the result of then.
	Replayed bool
}

// Handler carries out commands of one type. Its error means that nothing
// happened, unless it says otherwise (eventstore.ErrOutcomeUnknown does).
type Handler func(ctx context.Context, how Circumstances, command any) (Result, error)

// Middleware puts something around every handler.
type Middleware func(next Handler) Handler

// Dispatcher knows one handler for each type of command. It is put together at
// start-up; after that Send is safe for concurrent use.
type Dispatcher struct {
	handlers   map[reflect.Type]Handler
	middleware []Middleware
}

// NewDispatcher returns a dispatcher with middleware around every handler, the
// first one outermost.
func NewDispatcher(middleware ...Middleware) *Dispatcher {
	return &Dispatcher{handlers: make(map[reflect.Type]Handler), middleware: middleware}
}

// Handle registers the handler for commands of type C. It panics if C has one
// already: that is a fault of the program's wiring, and is to be seen at its
// start.
func Handle[C any](d *Dispatcher, handle func(ctx context.Context, how Circumstances, command C) (Result, error)) {
	t := reflect.TypeFor[C]()
	if _, ok := d.handlers[t]; ok {
		panic(fmt.Sprintf("command: two handlers for %s", t))
	}
	handler := Handler(func(ctx context.Context, how Circumstances, command any) (Result, error) {
		c, ok := command.(C)
		if !ok {
			return Result{}, fmt.Errorf("command: middleware replaced %s by %T", t, command)
		}
		return handle(ctx, how, c)
	})
	for _, around := range slices.Backward(d.middleware) {
		handler = around(handler)
	}
	d.handlers[t] = handler
}

// Send has a command carried out by the handler for its type. The error is the
// handler's own, or ErrNoHandler.
func (d *Dispatcher) Send(ctx context.Context, how Circumstances, command any) (Result, error) {
	handler, ok := d.handlers[reflect.TypeOf(command)]
	if !ok {
		return Result{}, fmt.Errorf("command %T: %w", command, ErrNoHandler)
	}
	return handler(ctx, how, command)
}
