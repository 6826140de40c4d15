package web

import (
	"log/slog"
	"net/http"
	"time"
)

// notYetRetry is when a client may ask again.
const notYetRetry = time.Second

// NotYet answers for an API whose service is not there yet, because an engine
// that it needs cannot be reached: the probes, where probes is not nil, and
// unavailable for everything else, whether or not the API has such a route.
// Adjust has the last word, as in Config. Log nil means slog.Default().
func NotYet(probes *Probes, adjust func(path string, p *Problem), log *slog.Logger) http.Handler {
	s, err := newSite(siteConfig{adjust: adjust, log: log})
	if err != nil {
		// Only metrics and origins can fail, and there are none.
		panic(err)
	}
	if probes != nil {
		probes.mount(s)
	}
	s.missing = func() *Problem {
		return Unavailable("the service cannot reach what it needs yet: nothing happened", notYetRetry)
	}
	return s
}
