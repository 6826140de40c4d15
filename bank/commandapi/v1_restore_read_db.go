package commandapi

import (
	"context"
	"fmt"
	"net/http"

	"passbook/bank/web"
	"passbook/es/event"
	"passbook/es/eventstore"
)

type v1RestoreOutput struct {
	Body v1Message
}

func (s *service) v1RestoreReadDb(api *web.API) {
	web.Register(api, web.Operation{
		ID: "restoreReadDb", Method: http.MethodPost, Path: v1Prefix + "restoreReadDb", Tags: []string{v1Tag}, Scope: scopeOperate,
		Summary: "Have the read model built again", Status: http.StatusCreated,
		Doc: "The answer comes when the restore is asked for, not when it is done; queries are answered all the while. " +
			"While one runs, no other is started.",
		Problems: []web.Code{web.CodeUnavailable, web.CodeOutcomeUnknown, web.CodeTooManyRequests},
	}, func(ctx context.Context, _ *struct{}) (*v1RestoreOutput, error) {
		if err := s.v1Restore(ctx); err != nil {
			return nil, err
		}
		return &v1RestoreOutput{Body: v1Message{Message: "Read database restore request completed successfully!"}}, nil
	})
}

// v1Restore refuses an empty store, as the original does. Version 2 does not:
// a read model without accounts can be wrong, too.
func (s *service) v1Restore(ctx context.Context) error {
	empty, err := s.isEmpty(ctx)
	if empty {
		return web.InvalidRequest("Could not retrieve event from the event store")
	}
	if err == nil {
		_, err = s.requestRestore(ctx)
	}
	if err != nil {
		return &v1Error{sentence: "Error while processing request to restore read database", correlation: event.NewID(), err: err}
	}
	return nil
}

// isEmpty tells whether the store has no event, where this process can tell.
func (s *service) isEmpty(ctx context.Context) (bool, error) {
	if s.head == nil {
		return false, nil
	}
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	position, err := s.head(ctx)
	if err != nil {
		return false, fmt.Errorf("%w: %w", eventstore.ErrUnavailable, err)
	}
	return position == 0, nil
}
