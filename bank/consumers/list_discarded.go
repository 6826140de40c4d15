package consumers

import (
	"context"
	"net/http"
	"time"

	"passbook/bank/web"
	"passbook/es/projection"
)

type listDiscardedInput struct {
	Name      string `path:"name" doc:"The consumer."`
	PageSize  int64  `query:"pageSize" minimum:"1" maximum:"1000" default:"50" doc:"How many to return at most."`
	PageToken string `query:"pageToken" doc:"The nextPageToken of the page before."`
}

type listDiscardedOutput struct {
	Body struct {
		Discarded     []discardedBody `json:"discarded" nullable:"false"`
		NextPageToken string          `json:"nextPageToken,omitempty" doc:"Leads to the next page; missing on the last one."`
	}
}

type discardedBody struct {
	Stream  string `json:"stream"`
	Version int64  `json:"version"`
	EventID string `json:"eventId"`
	Reason  string `json:"reason"`
	By      string `json:"by,omitempty" doc:"Whose key it was; missing without authentication."`
	At      string `json:"at" format:"date-time"`
}

func (s *service) registerListDiscarded(api *web.API) {
	web.Register(api, operation(web.Operation{
		ID: "listDiscardedEvents", Method: http.MethodGet, Path: "/{name}/discarded",
		Summary: "Events that were passed over, by stream and version",
	}), func(ctx context.Context, in *listDiscardedInput) (*listDiscardedOutput, error) {
		c, err := s.find(in.Name)
		if err != nil {
			return nil, err
		}
		at, err := place{List: "discarded", Consumer: in.Name}.parse(in.PageToken)
		if err != nil {
			return nil, err
		}
		after := projection.Discarded{Stream: at.Stream, Version: at.Version, EventID: at.EventID}
		all, err := c.Discards(ctx, after, int(in.PageSize)+1)
		if err != nil {
			return nil, s.unread(ctx, err)
		}
		page, more := cut(all, in.PageSize)
		out := &listDiscardedOutput{}
		out.Body.Discarded = make([]discardedBody, 0, len(page))
		for _, d := range page {
			out.Body.Discarded = append(out.Body.Discarded, discardedBody{
				Stream: d.Stream, Version: d.Version, EventID: d.EventID, Reason: d.Reason, By: d.By,
				At: d.At.Format(time.RFC3339Nano),
			})
		}
		if more {
			last := page[len(page)-1]
			at.Stream, at.Version, at.EventID = last.Stream, last.Version, last.EventID
			out.Body.NextPageToken, err = at.token()
		}
		return out, err
	})
}
