package kafka

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// link logs when a broker is lost and when it is back, once each, however many
// clients and connections notice.
type link struct {
	logger *slog.Logger
	mu     sync.Mutex
	lost   map[string]time.Time // by address, since when
}

var _ kgo.HookBrokerConnect = (*link)(nil)

func newLink(logger *slog.Logger) *link {
	return &link{logger: logger, lost: make(map[string]time.Time)}
}

// OnBrokerConnect is called after each attempt to connect. A connection that
// breaks is always followed by one, so this is enough.
func (l *link) OnBrokerConnect(broker kgo.BrokerMetadata, _ time.Duration, _ net.Conn, err error) {
	if errors.Is(err, context.Canceled) || errors.Is(err, kgo.ErrClientClosed) {
		return // we are closing: it tells nothing of the broker
	}
	address := net.JoinHostPort(broker.Host, strconv.Itoa(int(broker.Port)))
	l.mu.Lock()
	defer l.mu.Unlock()
	since, wasLost := l.lost[address]
	switch {
	case err != nil && !wasLost:
		l.lost[address] = time.Now()
		l.logger.Warn("Kafka broker lost, trying again until it is back", "broker", address, "error", err)
	case err == nil && wasLost:
		delete(l.lost, address)
		l.logger.Info("Kafka broker is back", "broker", address, "lost", time.Since(since).Round(time.Millisecond))
	}
}
