package notify

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"passbook/bank/web"
)

// APIConfig is what the notification API stands on. Notifications and Version
// must be set.
type APIConfig struct {
	// Notifications reads the notification DB.
	Notifications *Reader
	// Version of the program, for the API's document.
	Version string
	// AnswerTimeout is how long a question may take: 10 s if zero.
	AnswerTimeout time.Duration

	// Admit and TrustedOrigins are those of [web.Config].
	Admit          func(r *http.Request, op *web.Operation) (context.Context, error)
	TrustedOrigins []string

	Probes  *web.Probes           // served with the API if set
	Metrics prometheus.Registerer // counts requests if set
	Logger  *slog.Logger          // slog.Default() if nil
}

const (
	apiTimeout = 10 * time.Second
	// retryAfter is when it is worth to come back after what passes by itself.
	retryAfter = time.Second
	// queryIs is the scope of all routes.
	queryIs = "query"
)

// validate reports all faults at once.
func (c *APIConfig) validate() error {
	var faults []error
	if c.Notifications == nil {
		faults = append(faults, errors.New("notify: APIConfig.Notifications is nil"))
	}
	if c.Version == "" {
		faults = append(faults, errors.New("notify: APIConfig.Version is empty"))
	}
	if c.AnswerTimeout < 0 {
		faults = append(faults, errors.New("notify: APIConfig.AnswerTimeout is negative"))
	}
	return errors.Join(faults...)
}

// NewAPI makes the API with all its routes, to be served by a [web.Server]. The
// error names every fault of the configuration.
func NewAPI(config APIConfig) (*web.API, error) {
	if err := config.validate(); err != nil {
		return nil, err
	}
	if config.AnswerTimeout == 0 {
		config.AnswerTimeout = apiTimeout
	}
	api, err := web.New(web.Config{
		Title:          "passbook notification API",
		Version:        config.Version,
		Description:    apiDescription,
		Admit:          config.Admit,
		Translate:      translate,
		TrustedOrigins: config.TrustedOrigins,
		Probes:         config.Probes,
		Metrics:        config.Metrics,
		Log:            config.Logger,
	})
	if err != nil {
		return nil, err
	}
	registerListNotifications(api, config.Notifications, config.AnswerTimeout)
	return api, nil
}

// translate is the API's [web.Config].Translate.
func translate(_ context.Context, err error) *web.Problem {
	if errors.Is(err, ErrUnavailable) {
		return web.Unavailable(databaseSilent, retryAfter)
	}
	return nil
}

// apiDescription heads the API's document.
const apiDescription = `What customers were told about their accounts, and how. A notification is recorded once for each event and channel, ` +
	`and sent at least once: each attempt carries its id, by which a receiver can tell a repeat.`
