package access

import (
	"context"
	"net"
	"net/http"
	"strings"

	"passbook/bank/web"
	"passbook/es/event"
)

// Config says whom a Gate lets in.
type Config struct {
	// Keys returns the keys that are good at the moment. Nil: everybody is let
	// in, and nobody has a name.
	Keys func() *Keys
	// Rate is how many requests a second one client may make, on average; Burst
	// how many at once. A client is the holder of a key; without keys, and where
	// no good key is shown, it is an address (of IPv6 a network of 64 bits).
	// Both must be above zero.
	Rate  float64
	Burst int
}

// Gate lets requests in. Safe for concurrent use.
type Gate struct {
	keys      func() *Keys
	clients   *limiter
	strangers *limiter // who shows no good key
}

// Rate of refused keys. Guessing is hopeless anyway; this keeps an address from
// making the service busy with refusals.
const (
	strangersRate  = 20
	strangersBurst = 100
)

// New makes a gate.
func New(config Config) *Gate {
	return &Gate{
		keys:      config.Keys,
		clients:   newLimiter(config.Rate, config.Burst),
		strangers: newLimiter(strangersRate, strangersBurst),
	}
}

type actorKey struct{}

// Actor returns the name of the client whose request's context this is, empty
// without authentication.
func Actor(ctx context.Context) event.Actor {
	actor, _ := ctx.Value(actorKey{}).(event.Actor)
	return actor
}

// Admit implements web.Config.Admit: a request is counted against its client,
// and with keys must show one that holds the operation's scope, as
// Authorization: Bearer KEY. Operations without a scope take requests without a
// key.
func (g *Gate) Admit(r *http.Request, op *web.Operation) (context.Context, error) {
	ctx := r.Context()
	if g.keys == nil {
		return ctx, g.clients.take(address(r))
	}
	c, problem := g.who(r)
	if problem == nil {
		return g.admitClient(ctx, c, op)
	}
	if err := g.strangers.take(address(r)); err != nil {
		return nil, err
	}
	if op.Scope == "" && r.Header.Get("Authorization") == "" {
		return ctx, nil
	}
	return nil, problem
}

// who finds out whose key a request shows.
func (g *Gate) who(r *http.Request) (client, *web.Problem) {
	presented, problem := bearer(r)
	if problem != nil {
		return client{}, problem
	}
	c, ok := g.keys().find(presented)
	if !ok {
		return client{}, web.Unauthenticated("the API key is not known here")
	}
	return c, nil
}

func (g *Gate) admitClient(ctx context.Context, c client, op *web.Operation) (context.Context, error) {
	if err := g.clients.take(string(c.name)); err != nil {
		return nil, err
	}
	if op.Scope != "" && !c.may(op.Scope) {
		return nil, web.Forbidden("the API key lacks the scope " + op.Scope)
	}
	return context.WithValue(ctx, actorKey{}, c.name), nil
}

// bearer reads the key of a request.
func bearer(r *http.Request) (string, *web.Problem) {
	values := r.Header.Values("Authorization")
	if len(values) == 0 {
		return "", web.Unauthenticated("an API key is needed: send Authorization: Bearer KEY")
	}
	scheme, key, _ := strings.Cut(values[0], " ")
	key = strings.TrimSpace(key)
	if len(values) > 1 || !strings.EqualFold(scheme, "Bearer") || key == "" {
		return "", web.Unauthenticated("Authorization has to be: Bearer KEY")
	}
	return key, nil
}

// address is what strangers are told apart by. Headers of proxies are not
// believed: anybody can write them.
func address(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	ip := net.ParseIP(host)
	if ip == nil || ip.To4() != nil {
		return host
	}
	return ip.Mask(net.CIDRMask(64, 128)).String()
}
