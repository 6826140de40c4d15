package consumers

import (
	"context"
	"net/http"
	"time"

	"passbook/bank/web"
	"passbook/es/projection"
)

type listParkedInput struct {
	Name      string `path:"name" doc:"The consumer."`
	PageSize  int64  `query:"pageSize" minimum:"1" maximum:"1000" default:"50" doc:"How many to return at most."`
	PageToken string `query:"pageToken" doc:"The nextPageToken of the page before."`
}

type listParkedOutput struct {
	Body struct {
		Parked        []ParkedBody `json:"parked" nullable:"false"`
		NextPageToken string       `json:"nextPageToken,omitempty" doc:"Leads to the next page; missing on the last one."`
	}
}

// ParkedBody is a parked stream as it is shown. Exported, since the document
// would not tell of its members otherwise where another body embeds it.
type ParkedBody struct {
	Stream  string `json:"stream"`
	Reason  string `json:"reason" enum:"gap,difference,unapplicable,draining" doc:"Why it is parked: an event is missing; another event than the one that was applied claims its version; this program cannot apply an event; nothing, and what waited is being applied."`
	Version int64  `json:"version" doc:"The version that the stream waits for, or that of the event in its way."`
	EventID string `json:"eventId,omitempty" doc:"The event in its way; missing where there is none."`
	Error   string `json:"error" doc:"One line for people."`
	Since   string `json:"since" format:"date-time" doc:"When it was parked."`
	Queued  int64  `json:"queued" doc:"How many events wait in its queue."`
}

func newParkedBody(p projection.Parked) ParkedBody {
	return ParkedBody{
		Stream: p.Stream, Reason: string(p.Reason), Version: p.Version, EventID: p.EventID, Error: p.Error,
		Since: p.Since.Format(time.RFC3339Nano), Queued: p.Queued,
	}
}

func (s *service) registerListParked(api *web.API) {
	web.Register(api, operation(web.Operation{
		ID: "listParkedStreams", Method: http.MethodGet, Path: "/{name}/parked",
		Summary: "Parked streams of a consumer, by name",
		Doc:     "A walk sees every stream that is parked all the while exactly once.",
	}), func(ctx context.Context, in *listParkedInput) (*listParkedOutput, error) {
		c, err := s.find(in.Name)
		if err != nil {
			return nil, err
		}
		at, err := place{List: "parked", Consumer: in.Name}.parse(in.PageToken)
		if err != nil {
			return nil, err
		}
		all, err := c.Parked(ctx, at.Stream, int(in.PageSize)+1)
		if err != nil {
			return nil, s.unread(ctx, err)
		}
		page, more := cut(all, in.PageSize)
		out := &listParkedOutput{}
		out.Body.Parked = make([]ParkedBody, 0, len(page))
		for _, parked := range page {
			out.Body.Parked = append(out.Body.Parked, newParkedBody(parked))
		}
		if more {
			at.Stream = page[len(page)-1].Stream
			out.Body.NextPageToken, err = at.token()
		}
		return out, err
	})
}
