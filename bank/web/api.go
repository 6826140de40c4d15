package web

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"reflect"

	"github.com/danielgtaylor/huma/v2"
	"github.com/prometheus/client_golang/prometheus"
)

// Config is what the routes of one API share. Title and Version must be set.
type Config struct {
	Title       string // names the API in its document
	Version     string // of the document: the program's
	Description string // optional, Markdown

	// Admit runs before the body of a request is read: it authenticates,
	// authorises op.Scope, limits the rate. What it returns is the handler's
	// context; an error refuses the request as a handler's error does. Nil
	// admits everybody.
	Admit func(r *http.Request, op *Operation) (context.Context, error)

	// Translate turns a handler's error into a problem: the one place where an
	// API maps the errors of its domain to codes. It returns nil for an error
	// that is none of the client's business, which is logged and answered with
	// [Internal]. Errors that hold a *Problem do not come here.
	Translate func(ctx context.Context, err error) *Problem

	// Adjust has the last word on every problem before it is written, those of
	// the router and the decoder included. Path is the request's, or the
	// operation's while the document is made: the same rule serves both. An API
	// with version-1 routes sets Status and Message here.
	Adjust func(path string, p *Problem)

	// TrustedOrigins lists the origins (scheme://host:port) whose pages may send
	// requests that change something. Other sites' pages are refused; programs,
	// which send no Origin, are not concerned.
	TrustedOrigins []string

	Probes  *Probes               // served here if set
	Metrics prometheus.Registerer // counts requests if set; APIs may share one
	Log     *slog.Logger          // slog.Default() if nil
}

// validate reports all faults at once.
func (c *Config) validate() error {
	var faults []error
	if c.Title == "" {
		faults = append(faults, errors.New("web: Config.Title is empty"))
	}
	if c.Version == "" {
		faults = append(faults, errors.New("web: Config.Version is empty"))
	}
	return errors.Join(faults...)
}

// API is one service's HTTP interface: an [http.Handler] with the routes that
// [Register] added, its document and, where configured, its probes.
//
// Routes are registered first and served afterwards; serving is safe for
// concurrent use, registering is not.
type API struct {
	config Config
	site   *site
	huma   huma.API
	used   map[Code]bool // what the document lists
}

// New makes an API without routes. The error names every fault of the
// configuration.
func New(config Config) (*API, error) {
	if err := config.validate(); err != nil {
		return nil, err
	}
	site, err := newSite(siteConfig{
		adjust:  config.Adjust,
		trusted: config.TrustedOrigins,
		metrics: config.Metrics,
		log:     config.Log,
	})
	if err != nil {
		return nil, err
	}
	a := &API{config: config, site: site, used: map[Code]bool{}}
	a.huma = huma.NewAPI(a.humaConfig(), nil)
	a.serveDocument()
	if config.Probes != nil {
		config.Probes.mount(site)
	}
	return a, nil
}

// humaConfig leaves out what huma would add by itself: hooks that put links into
// answers, documentation pages that load from another site, JSON codecs that
// accept repeated members.
func (a *API) humaConfig() huma.Config {
	schemas := huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer)
	// Wherever huma documents its own error body, ours is what is sent.
	schemas.RegisterTypeAlias(reflect.TypeFor[huma.ErrorModel](), reflect.TypeFor[Problem]())
	return huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info: &huma.Info{
				Title:       a.config.Title,
				Version:     a.config.Version,
				Description: a.config.Description,
			},
			Components: &huma.Components{Schemas: schemas},
		},
		Formats:       map[string]huma.Format{"application/json": {Marshal: marshalEncoded, Unmarshal: unmarshalStrict}},
		DefaultFormat: "application/json",
	}
}

// ServeHTTP implements [http.Handler].
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.site.ServeHTTP(w, r) }
