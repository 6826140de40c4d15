package commandapi

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"passbook/bank/account"
	"passbook/bank/web"
	"passbook/es/command"
)

// within gives every command a deadline, so that no client waits for ever.
func within(timeout time.Duration) command.Middleware {
	return func(next command.Handler) command.Handler {
		return func(ctx context.Context, how command.Circumstances, c any) (command.Result, error) {
			ctx, cancel := context.WithTimeout(ctx, timeout)
			defer cancel()
			return next(ctx, how, c)
		}
	}
}

// observing counts, times and logs every command. Without a registry it logs.
func observing(registry prometheus.Registerer, log *slog.Logger) (command.Middleware, error) {
	total := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "passbook_commands_total",
		Help: "Commands by outcome: accepted, replayed, or the code of the problem.",
	}, []string{"command", "outcome"})
	duration := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "passbook_command_duration_seconds",
		Help:    "Time from a command's arrival at its handler to its outcome.",
		Buckets: []float64{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10},
	}, []string{"command"})
	if registry != nil {
		for _, metric := range []prometheus.Collector{total, duration} {
			if err := registry.Register(metric); err != nil {
				return nil, fmt.Errorf("commandapi: register metrics: %w", err)
			}
		}
	}
	return func(next command.Handler) command.Handler {
		return func(ctx context.Context, how command.Circumstances, c any) (command.Result, error) {
			started := time.Now()
			result, err := next(ctx, how, c)
			took, name, outcome := time.Since(started), commandName(c), outcomeOf(result, err)
			total.WithLabelValues(name, outcome).Inc()
			duration.WithLabelValues(name).Observe(took.Seconds())
			if log.Enabled(ctx, slog.LevelDebug) {
				log.DebugContext(ctx, "command", "command", name, "outcome", outcome, "id", how.ID,
					"correlation", how.CorrelationID, "stream", result.Stream, "version", result.Version,
					"took", took, "error", err)
			}
			return result, err
		}
	}, nil
}

// commandName is what dashboards know a command by; it does not follow a rename
// of the Go type.
func commandName(c any) string {
	switch c.(type) {
	case account.OpenAccount:
		return "OpenAccount"
	case account.DepositFunds:
		return "DepositFunds"
	case account.WithdrawFunds:
		return "WithdrawFunds"
	case account.CloseAccount:
		return "CloseAccount"
	}
	return "other"
}

func outcomeOf(result command.Result, err error) string {
	if err == nil {
		if result.Replayed {
			return "replayed"
		}
		return "accepted"
	}
	if p := problemOf(err); p != nil {
		return string(p.Code)
	}
	return string(web.CodeInternal)
}
