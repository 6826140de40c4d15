package queryapi

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"passbook/bank/readmodel"
	"passbook/bank/web"
	"passbook/es/query"
)

// Config is what the query API stands on. Accounts and Version must be set.
type Config struct {
	// Accounts reads the read model.
	Accounts *readmodel.Reader
	// Version of the program, for the API's document.
	Version string
	// AnswerTimeout is how long a question and its whole answer may take: 30 s if
	// zero. A list that a client does not take in by then is cut.
	AnswerTimeout time.Duration

	// Admit and TrustedOrigins are those of [web.Config].
	Admit          func(r *http.Request, op *web.Operation) (context.Context, error)
	TrustedOrigins []string

	// Probes are served with the API if set, and get a check named read-db.
	Probes  *web.Probes
	Metrics prometheus.Registerer // counts requests and questions if set
	Logger  *slog.Logger          // slog.Default() if nil
}

// answerTimeout is the default of Config.AnswerTimeout. It ends before the
// server's own time for an answer does.
const answerTimeout = 30 * time.Second

func (c *Config) setDefaults() {
	if c.AnswerTimeout == 0 {
		c.AnswerTimeout = answerTimeout
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
}

// validate reports all faults at once.
func (c *Config) validate() error {
	var faults []error
	if c.Accounts == nil {
		faults = append(faults, errors.New("queryapi: Config.Accounts is nil"))
	}
	if c.Version == "" {
		faults = append(faults, errors.New("queryapi: Config.Version is empty"))
	}
	if c.AnswerTimeout < 0 {
		faults = append(faults, errors.New("queryapi: Config.AnswerTimeout is negative"))
	}
	return errors.Join(faults...)
}

// service is what the handlers of all routes share.
type service struct {
	questions *query.Dispatcher
	observer  *observer
	timeout   time.Duration
}

// New makes the API with all its routes, to be served by a [web.Server]. The
// error names every fault of the configuration.
func New(config Config) (*web.API, error) {
	if err := config.validate(); err != nil {
		return nil, err
	}
	config.setDefaults()
	observer, err := newObserver(config.Metrics, config.Logger)
	if err != nil {
		return nil, err
	}
	s := &service{
		questions: newDispatcher(config.Accounts, observer.middleware),
		observer:  observer,
		timeout:   config.AnswerTimeout,
	}
	api, err := web.New(web.Config{
		Title:          "passbook query API",
		Version:        config.Version,
		Description:    description,
		Admit:          config.Admit,
		Translate:      translate,
		Adjust:         adjustV1,
		TrustedOrigins: config.TrustedOrigins,
		Probes:         config.Probes,
		Metrics:        config.Metrics,
		Log:            config.Logger,
	})
	if err != nil {
		return nil, err
	}
	if config.Probes != nil {
		config.Probes.Add("read-db", probe(config.Accounts))
	}
	s.registerV1(api)
	return api, nil
}

// probe asks whether the read DB answers. What exactly it says is not for
// everybody who can reach the probe.
func probe(accounts *readmodel.Reader) func(context.Context) error {
	return func(ctx context.Context) error {
		if accounts.Ping(ctx) != nil {
			return errors.New(readDBSilent)
		}
		return nil
	}
}

// description heads the API's document.
const description = `Questions about bank accounts, answered from a read model that follows the commands within moments. ` +
	`A list is one state of it: its message tells how many accounts it has. A list that cannot be sent to its end is cut ` +
	`before the JSON text ends.`
