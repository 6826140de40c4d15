package web_test

import (
	"context"
	"encoding/json"
	"net/http"
	"regexp"
	"testing"

	"github.com/danielgtaylor/huma/v2"
	"github.com/stretchr/testify/require"

	"passbook/bank/web"
)

func TestDocument_IsTheSameInAnyOrder(t *testing.T) {
	register := []func(*web.API){
		func(api *web.API) {
			web.Register(api, web.Operation{
				ID: "deposit", Method: http.MethodPost, Path: "/deposits", Scope: "command",
				Problems: []web.Code{web.CodeAccountClosed, web.CodeAccountNotFound},
			}, func(context.Context, *depositInput) (*depositOutput, error) { return nil, nil })
		},
		func(api *web.API) {
			web.Register(api, web.Operation{ID: "v1", Method: http.MethodPut, Path: "/v1/{id}"},
				func(context.Context, *depositV1Input) (*messageOutput, error) { return nil, nil })
		},
		func(api *web.API) {
			web.Register(api, web.Operation{ID: "search", Method: http.MethodGet, Path: "/things/{id}", Also: []int{304}},
				func(context.Context, *searchInput) (*textOutput, error) { return nil, nil })
		},
	}
	forward, backward := newAPI(t, nil), newAPI(t, nil)
	for i := range register {
		register[i](forward)
		register[len(register)-1-i](backward)
	}
	document := forward.Document()
	require.Equal(t, string(document), string(backward.Document()))
	require.Equal(t, string(document), string(forward.Document()))
	w := send(forward, "GET", "/openapi.json", "")
	require.Equal(t, "application/json", w.Header().Get("Content-Type"))
	require.Equal(t, string(document), w.Body.String())
}

// description is the part of an OpenAPI document that the tests look at.
type description struct {
	Paths map[string]map[string]struct {
		Responses map[string]struct {
			Description string
			Content     map[string]struct {
				Schema map[string]any
			}
		}
		Security []map[string][]string
	}
	Components struct {
		Schemas map[string]struct {
			AdditionalProperties any
			Required             []string
		}
	}
	Codes []struct {
		Code   web.Code
		Status int
	} `json:"x-problem-codes"`
}

func describe(t *testing.T, api *web.API) description {
	t.Helper()
	var d description
	require.NoError(t, json.Unmarshal(api.Document(), &d))
	return d
}

func TestDocument_TellsWhatHappens(t *testing.T) {
	api, err := newExampleAPI()
	require.NoError(t, err)
	d := describe(t, api)

	deposit := d.Paths["/api/v2/accounts/{id}/deposits"]["post"]
	require.Contains(t, deposit.Responses, "201")
	require.NotContains(t, deposit.Responses, "200")
	require.NotContains(t, deposit.Responses, "default")
	require.Equal(t, "account-closed", deposit.Responses["422"].Description)
	require.Equal(t, "unsupported-media-type", deposit.Responses["415"].Description)
	require.Equal(t, map[string]any{"$ref": "#/components/schemas/Problem"},
		deposit.Responses["400"].Content["application/problem+json"].Schema)
	require.Equal(t, []map[string][]string{{"apiKey": {"command"}}}, deposit.Security)

	// Version 1 has account-closed under its own status.
	v1 := d.Paths["/api/v1/depositFunds/{id}"]["put"]
	require.Equal(t, "account-closed, invalid-request", v1.Responses["400"].Description)
	require.NotContains(t, v1.Responses, "422")

	require.Equal(t, false, d.Components.Schemas["DepositInputBody"].AdditionalProperties)
	require.Equal(t, true, d.Components.Schemas["DepositV1"].AdditionalProperties)
	require.NotContains(t, d.Components.Schemas, "ErrorModel")
	require.ElementsMatch(t, []string{"type", "title", "status", "code"}, d.Components.Schemas["Problem"].Required)
	for _, row := range d.Codes {
		require.Equal(t, row.Code.Status(), row.Status)
		require.NotEqual(t, web.CodeNotYetVisible, row.Code, "no operation of this API has it")
	}
	require.Contains(t, string(api.Document()), `"code": "account-closed"`)
}

func TestDocument_LastWord(t *testing.T) {
	api := newAPI(t, nil)
	web.Register(api, web.Operation{
		ID: "csv", Method: http.MethodGet, Path: "/csv",
		Document: func(op *huma.Operation) { op.Responses["200"].Content["text/csv"] = &huma.MediaType{} },
	}, func(context.Context, *struct{}) (*textOutput, error) { return text(""), nil })
	require.Contains(t, describe(t, api).Paths["/csv"]["get"].Responses["200"].Content, "text/csv")
}

func TestDocs_LoadNothingFromElsewhere(t *testing.T) {
	api := newRoutes(t)
	types := map[string]string{
		"/docs": "text/html; charset=utf-8", "/docs/": "text/html; charset=utf-8",
		"/docs/docs.js": "text/javascript; charset=utf-8", "/docs/docs.css": "text/css; charset=utf-8",
	}
	elsewhere := regexp.MustCompile(`(?i)https?:|["'(]\s*//|@import|eval\(|innerHTML|\son[a-z]+="`)
	loads := regexp.MustCompile(`(?:src|href)="([^"]+)"|fetch\("([^"]+)"\)`)
	for target, contentType := range types {
		w := send(api, "GET", target, "")
		require.Equal(t, http.StatusOK, w.Code, target)
		require.Equal(t, contentType, w.Header().Get("Content-Type"))
		policy := w.Header().Get("Content-Security-Policy")
		require.Contains(t, policy, "default-src 'none'")
		require.NotContains(t, policy, "unsafe")
		require.NotContains(t, policy, "http")
		require.Empty(t, elsewhere.FindString(w.Body.String()), target)
		for _, load := range loads.FindAllStringSubmatch(w.Body.String(), -1) {
			require.Equal(t, http.StatusOK, send(api, "GET", load[1]+load[2], "").Code, load)
		}
	}
}
