package consumers

import (
	"context"
	"errors"
	"net/http"

	"passbook/bank/web"
	"passbook/es/projection"
)

type redriveInput struct {
	Name   string `path:"name" doc:"The consumer."`
	Stream string `path:"stream"`
}

type flowOutput struct {
	Body struct {
		Flows  bool        `json:"flows" doc:"Whether the stream goes on: everything that waited is applied."`
		Parked *ParkedBody `json:"parked,omitempty" nullable:"false" doc:"What is in its way now; missing where it flows."`
	}
}

func (s *service) registerRedrive(api *web.API) {
	web.Register(api, operation(web.Operation{
		ID: "redriveParkedStream", Method: http.MethodPost, Path: "/{name}/parked/{stream}/redrive",
		Summary: "Try a parked stream again",
		Doc:     "What can be applied by now is applied, and nothing is lost if that is nothing. It may be asked for at any time, and again.",
	}), func(ctx context.Context, in *redriveInput) (*flowOutput, error) {
		c, err := s.find(in.Name)
		if err != nil {
			return nil, err
		}
		flows, err := c.Redrive(ctx, in.Stream)
		if err != nil {
			return nil, s.undecided(ctx, err)
		}
		return s.flow(ctx, c, in.Stream, flows)
	})
}

// flow answers with what became of a stream.
func (s *service) flow(ctx context.Context, c Consumer, stream string, flows bool) (*flowOutput, error) {
	out := &flowOutput{}
	if out.Body.Flows = flows; flows {
		return out, nil
	}
	parked, _, err := c.ParkedStream(ctx, stream, 0)
	switch {
	case errors.Is(err, projection.ErrNotParked): // what was missing has come since
		out.Body.Flows = true
	case err != nil:
		return nil, s.undecided(ctx, err)
	default:
		body := newParkedBody(parked)
		out.Body.Parked = &body
	}
	return out, nil
}
