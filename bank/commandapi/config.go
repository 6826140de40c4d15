package commandapi

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"passbook/bank/account"
	"passbook/bank/web"
	contract "passbook/contract/account"
	"passbook/es/aggregate"
	"passbook/es/command"
	"passbook/es/event"
)

// Config is what the command API stands on. Repository, Currency and Version
// must be set.
type Config struct {
	// Repository of the accounts, made with [Definition]: the one that this
	// process has for its store.
	Repository *aggregate.Repository[account.State]
	// Currency of amounts that name none (PASSBOOK_CURRENCY).
	Currency contract.Currency
	// Version of the program, for the API's document.
	Version string
	// Restores of the read model, and Head, the position of the store's last
	// event, which tells whether there is anything to restore. With neither, as in
	// a process without a broker, the routes of restores answer with unavailable.
	Restores Restores
	Head     func(ctx context.Context) (int64, error)
	// CommandTimeout is how long a client waits for a command at most: 10 s if
	// zero. A command whose fate is open by then is answered with
	// outcome-unknown; it is not taken back.
	CommandTimeout time.Duration

	// Admit and TrustedOrigins are those of [web.Config].
	Admit          func(r *http.Request, op *web.Operation) (context.Context, error)
	TrustedOrigins []string
	// Actor tells whom Admit has let in: the principal in whose name the command
	// is given, and to whom idempotency keys belong. Nil, as without
	// authentication, stands for one client without a name.
	Actor func(ctx context.Context) event.Actor

	Probes  *web.Probes           // served with the API if set
	Metrics prometheus.Registerer // counts requests and commands if set
	Logger  *slog.Logger          // slog.Default() if nil
}

// commandTimeout is the default of Config.CommandTimeout.
const commandTimeout = 10 * time.Second

func (c *Config) setDefaults() {
	if c.CommandTimeout == 0 {
		c.CommandTimeout = commandTimeout
	}
	if c.Actor == nil {
		c.Actor = func(context.Context) event.Actor { return "" }
	}
	if c.Restores == nil {
		c.Restores = noRestores{}
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
}

// validate reports all faults at once.
func (c *Config) validate() error {
	var faults []error
	if c.Repository == nil {
		faults = append(faults, errors.New("commandapi: Config.Repository is nil"))
	}
	if c.Currency.IsZero() {
		faults = append(faults, errors.New("commandapi: Config.Currency names no currency"))
	}
	if c.Version == "" {
		faults = append(faults, errors.New("commandapi: Config.Version is empty"))
	}
	if c.CommandTimeout < 0 {
		faults = append(faults, errors.New("commandapi: Config.CommandTimeout is negative"))
	}
	if (c.Restores == nil) != (c.Head == nil) {
		faults = append(faults, errors.New("commandapi: Config.Restores and Config.Head go together, and one of them is nil"))
	}
	return errors.Join(faults...)
}

// service is what the handlers of all routes share.
type service struct {
	commands *command.Dispatcher
	currency contract.Currency
	restores Restores
	head     func(ctx context.Context) (int64, error) // nil without restores
	timeout  time.Duration
	actor    func(ctx context.Context) event.Actor
	log      *slog.Logger
}

// New makes the API with all its routes, to be served by a [web.Server]. The
// error names every fault of the configuration.
func New(config Config) (*web.API, error) {
	if err := config.validate(); err != nil {
		return nil, err
	}
	config.setDefaults()
	observe, err := observing(config.Metrics, config.Logger)
	if err != nil {
		return nil, err
	}
	s := &service{
		commands: newDispatcher(config.Repository, observe, within(config.CommandTimeout)),
		currency: config.Currency,
		restores: config.Restores,
		head:     config.Head,
		timeout:  config.CommandTimeout,
		actor:    config.Actor,
		log:      config.Logger,
	}
	api, err := web.New(web.Config{
		Title:          "passbook command API",
		Version:        config.Version,
		Description:    description,
		Admit:          config.Admit,
		Translate:      s.translate,
		Adjust:         adjustV1,
		TrustedOrigins: config.TrustedOrigins,
		Probes:         config.Probes,
		Metrics:        config.Metrics,
		Log:            config.Logger,
	})
	if err != nil {
		return nil, err
	}
	s.registerV1(api)
	s.registerV2(api)
	return api, nil
}
