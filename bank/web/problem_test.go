package web_test

import (
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"passbook/bank/web"
)

// The table of the APIs' description: what each constructor answers.
func TestProblem_CodesAndStatuses(t *testing.T) {
	retry := 3 * time.Second
	rows := []struct {
		problem *web.Problem
		code    web.Code
		status  int
		retry   string
	}{
		{web.InvalidRequest("d"), "invalid-request", 400, ""},
		{web.AccountNotFound("d"), "account-not-found", 404, ""},
		{web.AccountExists("d"), "account-exists", 409, ""},
		{web.AccountClosed("d"), "account-closed", 422, ""},
		{web.InsufficientFunds("d"), "insufficient-funds", 422, ""},
		{web.BalanceLimit("d"), "balance-limit", 422, ""},
		{web.BalanceNotZero("d"), "balance-not-zero", 422, ""},
		{web.CurrencyMismatch("d"), "currency-mismatch", 422, ""},
		{web.CurrencyUnknown("d"), "currency-unknown", 400, ""},
		{web.Unauthenticated("d"), "unauthenticated", 401, ""},
		{web.Forbidden("d"), "forbidden", 403, ""},
		{web.PreconditionFailed(1, 2), "version-conflict", 412, ""},
		{web.VersionConflict(1, 2), "version-conflict", 409, ""},
		{web.IdempotencyKeyReused("d"), "idempotency-key-reused", 422, ""},
		{web.IdempotencyKeyInFlight(0), "idempotency-key-in-flight", 409, "1"},
		{web.TooLarge("d"), "too-large", 413, ""},
		{web.UnsupportedMediaType("d"), "unsupported-media-type", 415, ""},
		{web.TooManyRequests("d", retry), "too-many-requests", 429, "3"},
		{web.Unavailable("d", retry), "unavailable", 503, "3"},
		{web.OutcomeUnknown("d"), "outcome-unknown", 504, ""},
		{web.NotFound("d"), "not-found", 404, ""},
		{web.MethodNotAllowed("GET"), "method-not-allowed", 405, ""},
		{web.NotYetVisible(4, retry), "not-yet-visible", 409, "3"},
		{web.Internal(), "internal", 500, ""},
	}
	covered := map[web.Code]bool{}
	for _, row := range rows {
		covered[row.code] = true
		w := answer(t, row.problem)
		requireProblem(t, w, row.status, row.code)
		require.Equal(t, row.retry, w.Header().Get("Retry-After"), row.code)
	}
	for _, code := range web.Codes() {
		require.True(t, covered[code], code)
	}
}

// answer returns what a client gets when a handler returns the problem.
func answer(t *testing.T, p *web.Problem) *httptest.ResponseRecorder {
	t.Helper()
	api := newAPI(t, nil)
	getProblem(api, p)
	return send(api, "GET", "/problem", "")
}

func TestProblem_Members(t *testing.T) {
	p := web.PreconditionFailed(0, 2)
	p.Detail = "bad \xff byte"
	w := answer(t, p)
	require.Equal(t, `{"type":"/docs#version-conflict","title":"The version is another","status":412,`+
		`"detail":"bad `+"\uFFFD"+` byte","code":"version-conflict","expectedVersion":0,"actualVersion":2}`, w.Body.String())
	require.Equal(t, "bad \xff byte", p.Detail)

	w = answer(t, web.NotYetVisible(0, time.Second))
	require.Contains(t, w.Body.String(), `"reached":0`)
	w = answer(t, web.InvalidField("amount", "must be above 0"))
	require.Contains(t, w.Body.String(), `"errors":[{"field":"amount","detail":"must be above 0"}]`)
}

func TestProblem_OwnCode(t *testing.T) {
	w := answer(t, &web.Problem{Code: "restore-running", Status: 409, Detail: "wait for it"})
	p := requireProblem(t, w, 409, "restore-running")
	require.Equal(t, "Conflict", p.Title)
}
