package web_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"passbook/bank/web"
)

const depositJSON = `{"amount":{"amount":"12.50","currency":"EUR"},"reference":"rent"}`

// BenchmarkRequest compares one POST through an API with metrics to the same
// echo on net/http and encoding/json alone: the handler by itself, and over a
// connection that is kept open.
func BenchmarkRequest(b *testing.B) {
	api := benchAPI(b)
	b.Run("handler/bare", func(b *testing.B) { benchHandler(b, bareEcho()) })
	b.Run("handler/web", func(b *testing.B) { benchHandler(b, api) })
	b.Run("connection/bare", func(b *testing.B) { benchConnection(b, bareEcho()) })
	b.Run("connection/web", func(b *testing.B) { benchConnection(b, api) })
}

func echoDeposit(_ context.Context, in *depositInput) (*depositOutput, error) {
	out := &depositOutput{ETag: `"7"`}
	out.Body.AccountID, out.Body.Version, out.Body.Balance = in.ID, 7, in.Body.Amount
	return out, nil
}

func benchAPI(b *testing.B) http.Handler {
	api, err := web.New(web.Config{Title: "T", Version: "1", Metrics: prometheus.NewRegistry()})
	require.NoError(b, err)
	web.Register(api, web.Operation{
		ID: "deposit", Method: http.MethodPost, Path: "/api/v2/accounts/{id}/deposits",
	}, echoDeposit)
	return api
}

func bareEcho() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/v2/accounts/{id}/deposits", func(w http.ResponseWriter, r *http.Request) {
		in := depositInput{ID: r.PathValue("id")}
		if json.NewDecoder(r.Body).Decode(&in.Body) != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		out, _ := echoDeposit(r.Context(), &in)
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("ETag", out.ETag)
		_ = json.NewEncoder(w).Encode(&out.Body)
	})
	return mux
}

func benchHandler(b *testing.B, h http.Handler) {
	b.ReportAllocs()
	for b.Loop() {
		r := httptest.NewRequest(http.MethodPost, "/api/v2/accounts/a1/deposits", strings.NewReader(depositJSON))
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != http.StatusOK {
			b.Fatal(w.Code)
		}
	}
}

func benchConnection(b *testing.B, h http.Handler) {
	server := httptest.NewServer(h)
	defer server.Close()
	target := server.URL + "/api/v2/accounts/a1/deposits"
	for b.Loop() {
		answer, err := http.Post(target, "application/json", strings.NewReader(depositJSON))
		if err != nil {
			b.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, answer.Body); err != nil || answer.StatusCode != http.StatusOK {
			b.Fatal(answer.Status, err)
		}
		_ = answer.Body.Close()
	}
}
