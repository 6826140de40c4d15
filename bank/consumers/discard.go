package consumers

import (
	"context"
	"errors"
	"net/http"

	"passbook/bank/web"
	"passbook/es/projection"
)

type discardInput struct {
	Name   string `path:"name" doc:"The consumer."`
	Stream string `path:"stream"`
	Body   discardBody
}

type discardBody struct {
	Version *int64 `json:"version" nullable:"false" minimum:"0" doc:"The version of the event in the stream's way."`
	Reason  string `json:"reason" minLength:"1" maxLength:"200" doc:"Why it may be passed over, for whoever looks at it later: text without control characters."`
}

func (s *service) registerDiscard(api *web.API) {
	web.Register(api, operation(web.Operation{
		ID: "discardEvent", Method: http.MethodPost, Path: "/{name}/parked/{stream}/discard",
		Summary: "Pass over the event in the way of a parked stream",
		Doc: "The event is never applied, nor by a read model that is built anew, and that cannot be taken back. What waited behind it is applied. " +
			"The version is that of the event in the way (`inTheWay` of the parked stream): another one is a `version-conflict`. " +
			"Where an event is missing there is nothing to discard, which is an `invalid-request`.",
		Problems: []web.Code{web.CodeVersionConflict},
	}), func(ctx context.Context, in *discardInput) (*flowOutput, error) {
		c, err := s.find(in.Name)
		if err != nil {
			return nil, err
		}
		if in.Body.Version == nil {
			return nil, web.InvalidField("version", "must be given: the version of the event in the way")
		}
		flows, err := c.Discard(ctx, in.Stream, *in.Body.Version, in.Body.Reason, string(s.By(ctx)))
		if err != nil {
			return nil, s.undiscarded(ctx, err)
		}
		return s.flow(ctx, c, in.Stream, flows)
	})
}

func (s *service) undiscarded(ctx context.Context, err error) error {
	inTheWay, ok := errors.AsType[*projection.NotInTheWayError](err)
	switch {
	case errors.Is(err, projection.ErrReason):
		return web.InvalidField("reason", "must be 1 to 200 characters of text, without control characters")
	case ok && inTheWay.Missing():
		return web.InvalidField("version", inTheWay.Error())
	case ok:
		p := web.NewProblem(web.CodeVersionConflict, inTheWay.Error())
		p.ExpectedVersion, p.ActualVersion = &inTheWay.Version, &inTheWay.Parked.Version
		return p
	}
	return s.undecided(ctx, err)
}
