package consumers

import (
	"context"
	"net/http"

	"passbook/bank/web"
	"passbook/es/projection"
)

type listConsumersOutput struct {
	Body struct {
		Consumers []consumerBody `json:"consumers" nullable:"false"`
	}
}

type consumerBody struct {
	Name          string          `json:"name"`
	ParkedStreams int64           `json:"parkedStreams" doc:"How many streams are parked now."`
	Partitions    []partitionBody `json:"partitions" nullable:"false" doc:"Those that this process reads; others may be read elsewhere."`
	Counts        countsBody      `json:"counts" doc:"What this process has done since it was started."`
	RedriveError  string          `json:"redriveError,omitempty" doc:"Why parked streams cannot be tried again now."`
}

type partitionBody struct {
	Partition int32  `json:"partition"`
	TopicID   string `json:"topicId"`
	Next      int64  `json:"next" doc:"The offset that is read next."`
	End       int64  `json:"end" doc:"The partition's end, as last heard of."`
	Lag       int64  `json:"lag" doc:"How many offsets lie between the two."`
	Position  int64  `json:"position" doc:"The position of the last event that was applied, dropped or put into a queue."`
	Error     string `json:"error,omitempty" doc:"What keeps the partition from going on."`
}

type countsBody struct {
	Applied    int64 `json:"applied" doc:"Events that were applied."`
	Duplicates int64 `json:"duplicates" doc:"Events that had been applied, or discarded, before."`
	Parked     int64 `json:"parked" doc:"How often a stream was parked."`
	Queued     int64 `json:"queued" doc:"Events that were put into the queues of parked streams."`
	Foreign    int64 `json:"foreign" doc:"Records that were passed over, since they are no events."`
	Rewinds    int64 `json:"rewinds" doc:"Partitions that were read again from their beginning."`
	Fenced     int64 `json:"fenced" doc:"Batches that were rolled back because another process had gone on."`
}

func (s *service) registerListConsumers(api *web.API) {
	web.Register(api, operation(web.Operation{
		ID: "listConsumers", Method: http.MethodGet, Path: "",
		Summary: "Progress and lag of each consumer",
	}), func(ctx context.Context, _ *struct{}) (*listConsumersOutput, error) {
		out := &listConsumersOutput{}
		out.Body.Consumers = make([]consumerBody, 0, len(s.Consumers))
		for _, c := range s.Consumers {
			parked, err := c.CountParked(ctx)
			if err != nil {
				return nil, s.unread(ctx, err)
			}
			body := statusBody(c.Status())
			body.ParkedStreams = parked
			out.Body.Consumers = append(out.Body.Consumers, body)
		}
		return out, nil
	})
}

func statusBody(status projection.Status) consumerBody {
	body := consumerBody{
		Name: status.Consumer, Partitions: make([]partitionBody, 0, len(status.Partitions)),
		Counts:       countsBody(status.Counts),
		RedriveError: text(status.RedriveError),
	}
	for _, p := range status.Partitions {
		body.Partitions = append(body.Partitions, partitionBody{
			Partition: p.Partition, TopicID: p.TopicID, Next: p.Next, End: p.End, Lag: p.Lag, Position: p.Position,
			Error: text(p.Err),
		})
	}
	return body
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
