package commandapi

import (
	"context"
	"net/http"

	"passbook/bank/web"
)

type v2FindRestoreInput struct {
	ID string `path:"id" doc:"The restore's id."`
}

type v2FindRestoreOutput struct {
	Body v2Restore
}

func (s *service) v2FindRestore(api *web.API) {
	web.Register(api, web.Operation{
		ID: "findRestore", Method: http.MethodGet, Path: v2Restores + "/{id}", Tags: []string{v2Tag}, Scope: scopeOperate,
		Summary:  "How far a restore has come",
		Problems: []web.Code{web.CodeNotFound, web.CodeUnavailable, web.CodeTooManyRequests},
		Document: examples("200", "", `{"id":"01-restore","state":"done","events":4,"total":4}`),
	}, func(ctx context.Context, in *v2FindRestoreInput) (*v2FindRestoreOutput, error) {
		restore, err := s.findRestore(ctx, in.ID)
		if err != nil {
			return nil, err
		}
		return &v2FindRestoreOutput{Body: v2RestoreOf(restore)}, nil
	})
}
