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
	// Versions waits for versions of accounts. If nil nobody waits: what is not
	// visible yet is refused at once.
	Versions Versions
	// SetAside tells of the events that the read model's consumer has parked or
	// discarded, so that they do not keep positions from being reached. If nil
	// there are none.
	SetAside readmodel.SetAside
	// Commits tells those who wait for a position of commits in this process. If
	// nil they find out by looking now and then.
	Commits Commits
	// Now is the clock that tells past from future: time.Now if nil.
	Now func() time.Time

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
	if c.Now == nil {
		c.Now = time.Now
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
	accounts  *readmodel.Reader
	versions  Versions // nil: nobody waits for one
	frontier  *frontier
	observer  *observer
	timeout   time.Duration
	now       func() time.Time
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
		accounts:  config.Accounts,
		versions:  config.Versions,
		frontier: newFrontier(func(ctx context.Context, after int64) (int64, error) {
			return config.Accounts.ReachedPosition(ctx, after, config.SetAside)
		}, config.Commits),
		observer: observer,
		timeout:  config.AnswerTimeout,
		now:      config.Now,
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
	s.registerV2(api)
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
	`A list of version 1 is one state of it: its message tells how many accounts it has. A list that cannot be sent to its end ` +
	`is cut before the JSON text ends. Failures of version 1 carry "bankAccounts":null.` + "\n\n" +
	`Version 2 answers from a state that is new enough: the answer to a command names the account's version and the event's ` +
	`position, and minVersion or minPosition with wait wait for them. What is not there in time is 409 not-yet-visible; ` +
	`its member reached says how far the read model has come, -1 for an account that it does not know. ` +
	`A parameter that is unknown, stands twice or has an impossible value is refused.`
