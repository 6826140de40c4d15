package consumers

import (
	"context"
	"log/slog"
	"net/http"

	"passbook/bank/web"
	"passbook/es/event"
	"passbook/es/projection"
)

// Consumer is what is asked of a consumer; *projection.Projection is one.
type Consumer interface {
	Name() string
	Status() projection.Status
	CountParked(ctx context.Context) (int64, error)
	Parked(ctx context.Context, after string, limit int) ([]projection.Parked, error)
	ParkedStream(ctx context.Context, stream string, limit int) (projection.Parked, []event.Envelope, error)
	Redrive(ctx context.Context, stream string) (flows bool, err error)
	Discard(ctx context.Context, stream string, version int64, reason, by string) (flows bool, err error)
	Discards(ctx context.Context, after projection.Discarded, limit int) ([]projection.Discarded, error)
}

// Config is what the routes are about.
type Config struct {
	// Consumers of this process, in the order in which they are listed. Each has
	// a name of its own.
	Consumers []Consumer
	// By tells who sends a request, to be remembered with what is discarded.
	// Nil: nobody in particular.
	By func(ctx context.Context) event.Actor
	// Log gets the errors of the database; slog.Default() if nil.
	Log *slog.Logger
}

// root is where all routes begin.
const root = "/api/v2/consumers"

// service is Config with defaults.
type service struct {
	Config
	byName map[string]Consumer
}

// Register adds the routes to an API. It panics where two consumers have one
// name: such a program is wrong and must not start.
func Register(api *web.API, config Config) {
	s := &service{Config: config, byName: make(map[string]Consumer, len(config.Consumers))}
	if s.By == nil {
		s.By = func(context.Context) event.Actor { return "" }
	}
	if s.Log == nil {
		s.Log = slog.Default()
	}
	for _, c := range s.Consumers {
		if s.byName[c.Name()] != nil {
			panic("consumers: two have the name " + c.Name())
		}
		s.byName[c.Name()] = c
	}
	s.registerListConsumers(api)
	s.registerListParked(api)
	s.registerShowParked(api)
	s.registerRedrive(api)
	s.registerDiscard(api)
	s.registerListDiscarded(api)
}

// operation completes what all routes have in common.
func operation(op web.Operation) web.Operation {
	op.Path = root + op.Path
	op.Tags = []string{"Consumers"}
	op.Scope = "operate"
	op.StrictQuery = true
	op.Problems = append(op.Problems, web.CodeUnavailable, web.CodeTooManyRequests)
	if op.Path != root {
		op.Problems = append(op.Problems, web.CodeNotFound)
	}
	if op.Method == http.MethodPost {
		op.Problems = append(op.Problems, web.CodeOutcomeUnknown)
	}
	return op
}

// find returns the consumer of a name.
func (s *service) find(name string) (Consumer, error) {
	if c, ok := s.byName[name]; ok {
		return c, nil
	}
	return nil, web.NotFound("this service has no consumer of that name")
}
