package web_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"passbook/bank/web"
)

func TestProbes_Ready(t *testing.T) {
	var broken atomic.Bool
	probes := web.NewProbes(prometheus.NewRegistry())
	probes.Add("event-store", func(context.Context) error {
		if broken.Load() {
			return errors.New("event store is not reachable")
		}
		return nil
	})
	probes.Add("broker", func(context.Context) error { return nil })
	handler := probes.Handler(quiet())

	w := send(handler, "GET", "/readyz", "")
	require.Equal(t, http.StatusOK, w.Code)
	require.JSONEq(t, `{"ready":true}`, w.Body.String())

	broken.Store(true)
	w = send(handler, "GET", "/readyz", "")
	require.Equal(t, http.StatusServiceUnavailable, w.Code)
	require.Equal(t, "application/json", w.Header().Get("Content-Type"))
	require.JSONEq(t, `{"ready":false,"reasons":{"event-store":"event store is not reachable"}}`, w.Body.String())
	require.Equal(t, http.StatusOK, send(handler, "GET", "/livez", "").Code, "alive whatever the engines do")
	require.Equal(t, http.StatusServiceUnavailable, send(handler, "HEAD", "/readyz", "").Code)
	requireProblem(t, send(handler, "POST", "/readyz", ""), http.StatusMethodNotAllowed, web.CodeMethodNotAllowed)
}

// A check that hangs is called once, however many probes come, and again when
// it has returned.
func TestProbes_HangingCheck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calls atomic.Int32
		release := make(chan struct{})
		probes := web.NewProbes(prometheus.NewRegistry())
		probes.Add("stuck", func(context.Context) error { // heeds no context
			calls.Add(1)
			<-release
			return nil
		})
		probes.Add("slow", func(ctx context.Context) error {
			<-ctx.Done()
			return errors.New("gave up")
		})
		handler := probes.Handler(quiet())
		var all sync.WaitGroup
		for range 5 {
			all.Go(func() {
				w := send(handler, "GET", "/readyz", "")
				require.Equal(t, http.StatusServiceUnavailable, w.Code)
				require.Contains(t, w.Body.String(), `"stuck":"no answer within 1s"`)
			})
		}
		all.Wait()
		require.Equal(t, int32(1), calls.Load())
		close(release)
		synctest.Wait()
		w := send(handler, "GET", "/readyz", "")
		require.NotContains(t, w.Body.String(), "stuck")
		require.Equal(t, int32(2), calls.Load())
		synctest.Wait()
	})
}

// The time that one check takes up is not held against the others.
func TestProbes_SlowCheckSpoilsNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		probes := web.NewProbes(prometheus.NewRegistry())
		for i := range 20 {
			probes.Add(fmt.Sprint("quick ", i), func(context.Context) error { return nil })
		}
		probes.Add("slow", func(ctx context.Context) error {
			<-ctx.Done()
			return errors.New("gave up")
		})
		w := send(probes.Handler(quiet()), "GET", "/readyz", "")
		require.NotContains(t, w.Body.String(), "quick")
		require.Contains(t, w.Body.String(), "slow")
		synctest.Wait()
	})
}

func TestProbes_OnTheAPI(t *testing.T) {
	api := newAPI(t, func(c *web.Config) { c.Probes = web.NewProbes(prometheus.NewRegistry()) })
	for _, path := range []string{"/livez", "/readyz", "/metrics"} {
		require.Equal(t, http.StatusOK, send(api, "GET", path, "").Code)
		require.Equal(t, http.StatusNotFound, send(newRoutes(t), "GET", path, "").Code, "without probes")
		require.NotContains(t, string(api.Document()), path)
	}
}

func TestMetrics(t *testing.T) {
	registry := prometheus.NewRegistry()
	withMetrics := func(c *web.Config) {
		c.Metrics, c.Probes = registry, web.NewProbes(registry)
	}
	api := newAPI(t, withMetrics)
	second := newAPI(t, withMetrics) // shares what the first has registered
	web.Register(api, web.Operation{ID: "search", Method: http.MethodGet, Path: "/things/{id}"},
		func(context.Context, *searchInput) (*textOutput, error) { return text(""), nil })
	getOperation(second, "/fails", func(context.Context) (*textOutput, error) { panic("x") })

	send(api, "GET", "/things/1", "")
	send(api, "GET", "/things/2/", "")
	send(api, "GET", "/things/x", "")
	send(api, "BREW", "/things/1", "")
	send(api, "GET", "/account-4711", "")
	send(second, "GET", "/fails", "")

	shown := send(second, "GET", "/metrics", "").Body.String()
	for _, line := range []string{
		`passbook_http_requests_total{method="GET",route="/things/{id}",status="200"} 2`,
		`passbook_http_requests_total{method="GET",route="/things/{id}",status="400"} 1`,
		`passbook_http_requests_total{method="other",route="none",status="405"} 1`,
		`passbook_http_requests_total{method="GET",route="none",status="404"} 1`,
		`passbook_http_requests_total{method="GET",route="/fails",status="500"} 1`,
		`passbook_http_request_duration_seconds_count{route="/things/{id}"} 3`,
	} {
		require.Contains(t, shown, line+"\n")
	}
	require.False(t, strings.Contains(shown, "4711") || strings.Contains(shown, "BREW"))
}

func TestMetrics_NameTaken(t *testing.T) {
	registry := prometheus.NewRegistry()
	registry.MustRegister(prometheus.NewGauge(prometheus.GaugeOpts{Name: "passbook_http_requests_total", Help: "x"}))
	_, err := web.New(web.Config{Title: "T", Version: "1", Metrics: registry})
	require.ErrorContains(t, err, "register metrics")
}
