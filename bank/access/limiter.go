package access

import (
	"sync"
	"time"

	"golang.org/x/time/rate"

	"passbook/bank/web"
)

// limiterClients is how many clients are told apart. Beyond that, those who
// come anew share one allowance: memory stays bounded whoever calls.
const limiterClients = 10_000

// limiter is an allowance of requests for each client.
type limiter struct {
	rate  rate.Limit
	burst int

	mu      sync.Mutex
	clients map[string]*rate.Limiter
	others  *rate.Limiter
	swept   time.Time
}

func newLimiter(perSecond float64, burst int) *limiter {
	return &limiter{
		rate: rate.Limit(perSecond), burst: burst,
		clients: make(map[string]*rate.Limiter),
		others:  rate.NewLimiter(rate.Limit(perSecond), burst),
	}
}

// take uses up one request of a client's allowance, or returns the problem that
// says when there is one again.
func (l *limiter) take(client string) error {
	now := time.Now()
	allowance := l.of(client, now)
	if allowance.AllowN(now, 1) {
		return nil
	}
	wait := time.Duration(float64(time.Second) / float64(l.rate))
	return web.TooManyRequests("this client makes too many requests", max(wait, time.Second))
}

func (l *limiter) of(client string, now time.Time) *rate.Limiter {
	l.mu.Lock()
	defer l.mu.Unlock()
	if known, ok := l.clients[client]; ok {
		return known
	}
	if len(l.clients) >= limiterClients {
		l.sweep(now)
	}
	if len(l.clients) >= limiterClients {
		return l.others
	}
	made := rate.NewLimiter(l.rate, l.burst)
	l.clients[client] = made
	return made
}

// sweep forgets clients whose allowance is whole again: a new one would be the
// same. It goes over all of them, so it is done once a second at most.
func (l *limiter) sweep(now time.Time) {
	if now.Sub(l.swept) < time.Second {
		return
	}
	l.swept = now
	for name, allowance := range l.clients {
		if allowance.TokensAt(now) >= float64(l.burst) {
			delete(l.clients, name)
		}
	}
}
