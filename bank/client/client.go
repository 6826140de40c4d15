package client

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Config says where the services are. At least one URL must be set; a call to a
// service whose URL is empty is an error.
type Config struct {
	CommandURL string // of the command API, such as http://127.0.0.1:5000
	QueryURL   string // of the query API
	NotifyURL  string // of the notification service
	// APIKey is sent as a bearer token with every request, if set.
	APIKey string
	// Timeout bounds each call with all its retries, and each page of a walk: 10 s
	// if zero. Time that a query was told to wait comes on top.
	Timeout time.Duration
	// UserAgent names the program in the services' logs: "passbook" if empty.
	UserAgent string
}

const timeoutDefault = 10 * time.Second

// Client calls the services. It keeps connections open between calls; Close
// gives them back.
type Client struct {
	command, query, notify *service
	timeout                time.Duration
	http                   *http.Client
}

// service is one API and what every request to it carries.
type service struct {
	name      string // for people
	setting   string // the field of Config, for those who left it empty
	base      *url.URL
	key       string
	userAgent string
}

// New makes a client without calling anything. The error names every fault of
// the configuration.
func New(config Config) (*Client, error) {
	if config.Timeout == 0 {
		config.Timeout = timeoutDefault
	}
	if config.UserAgent == "" {
		config.UserAgent = "passbook"
	}
	var faults []error
	if config.Timeout < 0 {
		faults = append(faults, errors.New("client: Config.Timeout is negative"))
	}
	if strings.ContainsFunc(config.APIKey, func(r rune) bool { return r <= ' ' || r > '~' }) {
		faults = append(faults, errors.New("client: Config.APIKey has characters that no key has"))
	}
	if config.CommandURL == "" && config.QueryURL == "" && config.NotifyURL == "" {
		faults = append(faults, errors.New("client: Config names no service"))
	}
	add := func(name, setting, raw string) *service {
		base, err := parseBase(raw)
		if err != nil {
			faults = append(faults, fmt.Errorf("client: Config.%s: %w", setting, err))
		}
		return &service{name: name, setting: setting, base: base, key: config.APIKey, userAgent: config.UserAgent}
	}
	c := &Client{
		command: add("command service", "CommandURL", config.CommandURL),
		query:   add("query service", "QueryURL", config.QueryURL),
		notify:  add("notification service", "NotifyURL", config.NotifyURL),
		timeout: config.Timeout,
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	transport := http.DefaultTransport.(*http.Transport).Clone() //nolint:forcetypeassert // it is one, unless the program replaced it, and then it should stop
	transport.MaxIdleConnsPerHost = 256                          // load programs keep as many requests in flight at one service
	c.http = &http.Client{
		Transport: transport,
		// A redirect is an answer like any other, and one that is refused.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return c, nil
}

// Close closes idle connections. Calls may still be made afterwards.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// parseBase checks a service's URL; an empty one is nil. The error never repeats
// the URL, which may hold a password.
func parseBase(raw string) (*url.URL, error) {
	if raw == "" {
		return nil, nil
	}
	base, err := url.Parse(raw)
	switch {
	case err != nil, base.Scheme != "http" && base.Scheme != "https", base.Host == "":
		return nil, errors.New("no URL of a service: want http://HOST:PORT")
	case base.User != nil:
		return nil, errors.New("user and password in the URL are not used: give an API key")
	case base.RawQuery != "" || base.Fragment != "":
		return nil, errors.New("a query or fragment in the URL of a service makes no sense: want http://HOST:PORT")
	}
	return base, nil
}

// deadline bounds a call.
func (c *Client) deadline(ctx context.Context, wait time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, c.timeout+max(wait, 0))
}

// url returns the address of a path. Elements are escaped, so that an id cannot
// reach another route.
func (s *service) url(query url.Values, elements ...string) (string, error) {
	if s.base == nil {
		return "", fmt.Errorf("client: Config.%s is not set: the %s is needed for this", s.setting, s.name)
	}
	var address strings.Builder
	address.WriteString(s.base.Scheme + "://" + s.base.Host + strings.TrimSuffix(s.base.EscapedPath(), "/") + "/api/v2")
	for _, element := range elements {
		if element == "" || element == "." || element == ".." {
			return "", fmt.Errorf("%q is no name that can be asked for", element)
		}
		address.WriteString("/" + url.PathEscape(element))
	}
	if len(query) > 0 {
		address.WriteString("?" + query.Encode())
	}
	return address.String(), nil
}
