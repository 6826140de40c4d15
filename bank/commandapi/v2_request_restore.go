package commandapi

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"passbook/bank/web"
)

// v2RestoreInput takes an Idempotency-Key because many clients send one with
// every POST. It is judged as everywhere, and needed for nothing: see the route's
// text.
type v2RestoreInput struct {
	IdempotencyKey string `header:"Idempotency-Key" doc:"Not needed, and not remembered."`
}

// Resolve implements [huma.Resolver].
func (in *v2RestoreInput) Resolve(ctx huma.Context) []error {
	times := 0
	ctx.EachHeader(func(name, _ string) {
		if name == keyHeader {
			times++
		}
	})
	return keyFaults(times, in.IdempotencyKey)
}

type v2RestoreOutput struct {
	Location string `header:"Location" doc:"Where the restore's state is told."`
	Body     v2Restore
}

// v2Restore is a restore on the wire.
type v2Restore struct {
	ID     string `json:"id"`
	State  string `json:"state" enum:"running,done,failed"`
	Events int64  `json:"events" doc:"So many events were read again."`
	Total  int64  `json:"total" doc:"Of so many; 0 as long as that is not known."`
	Error  string `json:"error,omitempty" doc:"Why it failed."`
}

func v2RestoreOf(r Restore) v2Restore {
	return v2Restore{ID: r.ID, State: string(r.State), Events: r.Events, Total: r.Total, Error: r.Error}
}

func (s *service) v2RequestRestore(api *web.API) {
	web.Register(api, web.Operation{
		ID: "requestRestore", Method: http.MethodPost, Path: v2Restores, Tags: []string{v2Tag}, Scope: scopeOperate,
		Summary: "Have the read model built again", Status: http.StatusAccepted,
		Doc: "The read model is built again from all events beside the one that answers queries, and takes its place when it is " +
			"complete. One restore runs at a time: while one does, every request is answered with that one, so a request whose " +
			"answer was lost can be sent again. An Idempotency-Key is therefore not needed, and it is not remembered: after a " +
			"restore has ended, the next request starts another. That is work, but changes nothing.",
		Problems: []web.Code{web.CodeUnavailable, web.CodeOutcomeUnknown, web.CodeTooManyRequests},
		Document: examples("202", "", `{"id":"01-restore","state":"running","events":0,"total":0}`),
	}, func(ctx context.Context, _ *v2RestoreInput) (*v2RestoreOutput, error) {
		restore, err := s.requestRestore(ctx)
		if err != nil {
			return nil, err
		}
		return &v2RestoreOutput{Location: v2Restores + "/" + restore.ID, Body: v2RestoreOf(restore)}, nil
	})
}
