package web

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// LocalHost refuses requests whose Host is a name other than localhost. It
// belongs around every handler that is served on loopback without API keys:
// there, a page from anywhere can let its own name point to 127.0.0.1 and then
// talk to the service as if it were its own site. Addresses as such pass, since
// no foreign name can hide behind them.
//
// A reverse proxy in front must therefore send Host: localhost, or the service
// be given keys and this guard left out.
func LocalHost(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !localHost(r.Host) {
			Forbidden("the service answers to the name localhost and to addresses only").
				completed(r.URL.Path, nil).write(w)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func localHost(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	if strings.EqualFold(strings.TrimSuffix(host, "."), "localhost") {
		return true
	}
	_, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil
}
