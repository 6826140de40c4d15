package queryapi

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"passbook/bank/readmodel"
	"passbook/es/query"
)

// observer counts questions and answers, and tells when the read DB is lost and
// when it is back: a line each, and not one for every question in between.
type observer struct {
	questions *prometheus.CounterVec
	cuts      *prometheus.CounterVec
	log       *slog.Logger
	lost      atomic.Bool
}

// newObserver registers the metrics, if there is a registry for them.
func newObserver(registry prometheus.Registerer, log *slog.Logger) (*observer, error) {
	o := &observer{
		questions: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "passbook_queries_total",
			Help: "Questions by outcome: found, none, refused for what the read model says, canceled by the client, " +
				"busy, unavailable or internal. A list counts when it begins.",
		}, []string{"query", "outcome"}),
		cuts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "passbook_query_answers_cut_total",
			Help: "Lists that began and could not be sent to their end.",
		}, []string{"query"}),
		log: log,
	}
	if registry != nil {
		for _, metric := range []prometheus.Collector{o.questions, o.cuts} {
			if err := registry.Register(metric); err != nil {
				return nil, fmt.Errorf("queryapi: register metrics: %w", err)
			}
		}
	}
	return o, nil
}

// middleware observes every question.
func (o *observer) middleware(next query.Handler) query.Handler {
	return func(ctx context.Context, question any) (any, error) {
		answer, err := next(ctx, question)
		found := outcomeOf(ctx, answer, err)
		o.questions.WithLabelValues(questionName(question), found).Inc()
		switch found {
		case outcomeUnavailable:
			if !o.lost.Swap(true) {
				o.log.ErrorContext(ctx, readDBSilent, "error", err)
			}
		case outcomeFound, outcomeNone, outcomeRefused:
			if o.lost.Load() && o.lost.Swap(false) {
				o.log.InfoContext(ctx, "the read DB answers again")
			}
		}
		return answer, err
	}
}

// cut is told of an answer that began and did not come to its end. Clients that
// leave are no news.
func (o *observer) cut(ctx context.Context, question any, err error) {
	name, level := questionName(question), slog.LevelWarn
	if errors.Is(err, errClientGone) || errors.Is(err, context.Canceled) {
		level = slog.LevelDebug
	}
	o.cuts.WithLabelValues(name).Inc()
	o.log.Log(ctx, level, "an answer was cut", "query", name, "error", err)
}

// The values of the label outcome.
const (
	outcomeFound       = "found"
	outcomeNone        = "none"
	outcomeRefused     = "refused"
	outcomeCanceled    = "canceled"
	outcomeBusy        = "busy"
	outcomeUnavailable = "unavailable"
	outcomeInternal    = "internal"
)

func outcomeOf(ctx context.Context, answer any, err error) string {
	_, notReached := errors.AsType[*readmodel.NotReachedError](err)
	switch {
	case err == nil && isEmpty(answer), errors.Is(err, readmodel.ErrNotFound):
		return outcomeNone
	case notReached, errors.Is(err, readmodel.ErrSeveralCurrencies):
		return outcomeRefused
	case err == nil:
		return outcomeFound
	case errors.Is(ctx.Err(), context.Canceled):
		return outcomeCanceled
	case errors.Is(err, readmodel.ErrBusy):
		return outcomeBusy
	case errors.Is(err, readmodel.ErrUnavailable):
		return outcomeUnavailable
	}
	return outcomeInternal
}

// isEmpty tells of a list that nothing is on it.
func isEmpty(answer any) bool {
	switch list := answer.(type) {
	case *readmodel.Accounts:
		return list.Count() == 0
	case readmodel.Page:
		return len(list.Accounts) == 0
	case readmodel.Statement:
		return len(list.Entries) == 0
	}
	return false
}
