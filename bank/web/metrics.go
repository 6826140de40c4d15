package web

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics counts requests by route pattern. Raw paths never become labels: they
// hold account ids, of which there is no end.
type metrics struct {
	requests  *prometheus.CounterVec
	durations *prometheus.HistogramVec
}

// newMetrics registers the two metrics, or takes those that another API has
// registered before.
func newMetrics(registry prometheus.Registerer) (*metrics, error) {
	requests, err := registered(registry, prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "passbook_http_requests_total",
		Help: "Answered HTTP requests.",
	}, []string{"route", "method", "status"}))
	if err != nil {
		return nil, err
	}
	durations, err := registered(registry, prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "passbook_http_request_duration_seconds",
		Help:    "Time from the request's headers to the end of its handler.",
		Buckets: []float64{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30},
	}, []string{"route"}))
	if err != nil {
		return nil, err
	}
	return &metrics{requests: requests, durations: durations}, nil
}

func registered[C prometheus.Collector](registry prometheus.Registerer, mine C) (C, error) {
	err := registry.Register(mine)
	if err == nil {
		return mine, nil
	}
	if there, ok := errors.AsType[prometheus.AlreadyRegisteredError](err); ok {
		if theirs, ok := there.ExistingCollector.(C); ok {
			return theirs, nil
		}
	}
	return mine, fmt.Errorf("web: register metrics: %w", err)
}

// observe reads the route from the request, where ServeMux has left it.
func (m *metrics) observe(r *http.Request, status int, took time.Duration) {
	route := routeOf(r.Pattern)
	m.requests.WithLabelValues(route, methodLabel(r.Method), strconv.Itoa(status)).Inc()
	m.durations.WithLabelValues(route).Observe(took.Seconds())
}

// routeOf drops the method from a pattern. Requests for which there is no route
// share one label.
func routeOf(pattern string) string {
	_, route, ok := strings.Cut(pattern, " ")
	if !ok {
		return "none"
	}
	return route
}

// methodLabel bounds a label that the client chooses.
func methodLabel(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut,
		http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return method
	}
	return "other"
}
