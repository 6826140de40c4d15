package consumers

import (
	"context"
	"net/http"
	"strings"
	"time"

	"passbook/bank/web"
	"passbook/es/event"
)

// payloadMax is how many bytes of a payload are shown.
const payloadMax = 16 << 10

type showParkedInput struct {
	Name      string `path:"name" doc:"The consumer."`
	Stream    string `path:"stream"`
	QueueSize int64  `query:"queueSize" minimum:"1" maximum:"1000" default:"20" doc:"How many events of the queue's front to return at most."`
}

type showParkedOutput struct {
	Body struct {
		ParkedBody
		InTheWay *inTheWayBody `json:"inTheWay,omitempty" nullable:"false" doc:"The event in its way; missing where there is none."`
		Queue    []QueuedBody  `json:"queue" nullable:"false" doc:"The front of its queue, by version. Payloads are not shown: they hold what is known of people."`
	}
}

// QueuedBody is an event in a queue as it is shown: without its payload, since
// whoever looks after a consumer need not read what customers do.
type QueuedBody struct {
	Version  int64  `json:"version"`
	EventID  string `json:"eventId"`
	Position int64  `json:"position"`
	Type     string `json:"type" doc:"With its schema, as it travels."`
	Time     string `json:"time" format:"date-time"`
}

// inTheWayBody has the payload, since nobody can answer for discarding an event
// that they have not seen.
type inTheWayBody struct {
	QueuedBody
	Payload     string `json:"payload" doc:"As it was written, up to 16 KiB of it; it may be no JSON. Bytes that are no text are replaced."`
	PayloadSize int64  `json:"payloadSize" doc:"In bytes, as it was written."`
}

func newQueuedBody(e event.Envelope) QueuedBody {
	return QueuedBody{
		Version: e.Version, EventID: e.ID, Position: e.Position, Type: e.Type.String(), Time: e.Time.Format(time.RFC3339Nano),
	}
}

func (s *service) registerShowParked(api *web.API) {
	web.Register(api, operation(web.Operation{
		ID: "showParkedStream", Method: http.MethodGet, Path: "/{name}/parked/{stream}",
		Summary: "A parked stream, with what is in its way and what waits",
	}), func(ctx context.Context, in *showParkedInput) (*showParkedOutput, error) {
		c, err := s.find(in.Name)
		if err != nil {
			return nil, err
		}
		parked, queue, err := c.ParkedStream(ctx, in.Stream, int(in.QueueSize))
		if err != nil {
			return nil, s.unread(ctx, err)
		}
		out := &showParkedOutput{}
		out.Body.ParkedBody = newParkedBody(parked)
		out.Body.Queue = make([]QueuedBody, 0, len(queue))
		for _, e := range queue {
			out.Body.Queue = append(out.Body.Queue, newQueuedBody(e))
			if parked.EventID != "" && e.ID == parked.EventID {
				out.Body.InTheWay = &inTheWayBody{
					QueuedBody: newQueuedBody(e), PayloadSize: int64(len(e.Data)),
					Payload: strings.ToValidUTF8(string(e.Data[:min(payloadMax, len(e.Data))]), "\uFFFD"),
				}
			}
		}
		return out, nil
	})
}
