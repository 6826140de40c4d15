package kafka

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// remindInterval is how often it is said again that brokers do not let us in:
// unlike a broker that is lost, that does not pass by itself.
const remindInterval = time.Minute

// link logs when a broker is lost and when it is back, once each, however many
// clients and connections notice.
type link struct {
	logger *slog.Logger
	sasl   bool // we authenticate
	mu     sync.Mutex
	lost   map[string]*loss // by address
}

// anyBroker stands for the address where it is not known which one it was.
const anyBroker = "any"

type loss struct {
	since time.Time
	said  string // what was logged last
	at    time.Time
}

var _ kgo.HookBrokerConnect = (*link)(nil)

func newLink(logger *slog.Logger, sasl bool) *link {
	return &link{logger: logger, sasl: sasl, lost: make(map[string]*loss)}
}

// OnBrokerConnect is called after each attempt to connect, encrypt and
// authenticate. A connection that breaks is always followed by one, so this is
// enough.
func (l *link) OnBrokerConnect(broker kgo.BrokerMetadata, _ time.Duration, conn net.Conn, err error) {
	if errors.Is(err, context.Canceled) || errors.Is(err, kgo.ErrClientClosed) {
		return // we are closing: it tells nothing of the broker
	}
	address := net.JoinHostPort(broker.Host, strconv.Itoa(int(broker.Port)))
	if err == nil {
		l.isBack(address)
		return
	}
	text, lasting := describe(err)
	if !lasting && l.sasl && conn != nil && errors.Is(err, io.EOF) {
		text, lasting = hungUp+"authentication failed, or it does not want SASL at this address"+again, true
	}
	l.isLost(address, text, lasting, err)
}

func (l *link) isBack(address string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if of := l.lost[address]; of != nil {
		delete(l.lost, address)
		l.logger.Info("Kafka broker is back", "broker", address, "lost", time.Since(of.since).Round(time.Millisecond))
	}
}

func (l *link) isLost(address, text string, lasting bool, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	of := l.lost[address]
	if of == nil {
		of = &loss{since: time.Now()}
		l.lost[address] = of
	}
	if of.said == "" || lasting && (text != of.said || time.Since(of.at) >= remindInterval) {
		of.said, of.at = text, time.Now()
		l.logger.Warn(text, "broker", address, "error", err)
	}
}

// answered is told how a request to any broker went. Some brokers take a
// connection and hang up at the first request that is not theirs to answer.
func (l *link) answered(err error) {
	var guess *kgo.ErrFirstReadEOF
	switch {
	case err == nil:
		l.isBack(anyBroker)
	case errors.As(err, &guess):
		text, lasting := describe(err)
		if !l.hasSaid(text) {
			l.isLost(anyBroker, text, lasting, err)
		}
	}
}

// hasSaid tells whether this is known already of a broker that is lost.
func (l *link) hasSaid(text string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for address, of := range l.lost {
		if address != anyBroker && of.said == text {
			return true
		}
	}
	return false
}

// Halves of what is logged.
const (
	shut   = "Kafka broker does not let us in: "
	hungUp = "Kafka broker hangs up at once: "
	again  = "; trying again"
)

// describe returns what is to be said of a connection that did not come about,
// and whether it is one that people have to do something about.
func describe(err error) (text string, lasting bool) {
	var (
		untrusted *tls.CertificateVerificationError
		noTLS     tls.RecordHeaderError
		refusal   *net.OpError
		guess     *kgo.ErrFirstReadEOF
	)
	switch {
	case errors.Is(err, kerr.SaslAuthenticationFailed):
		return shut + "authentication failed: check SASL user and password" + again, true
	case errors.Is(err, kerr.UnsupportedSaslMechanism), errors.Is(err, kerr.IllegalSaslState):
		return shut + "authentication failed: it does not offer this SASL mechanism at this address" + again, true
	case errors.As(err, &untrusted):
		return "Kafka broker is not trusted: TLS failed: check the certificate authorities and the broker's address" + again, true
	case errors.As(err, &noTLS):
		return "Kafka broker does not speak TLS at this address" + again, true
	case errors.As(err, &refusal) && refusal.Op == "remote error":
		return shut + "TLS failed: check the client's certificate" + again, true
	case errors.As(err, &guess):
		return hungUp + "check whether it wants TLS or SASL at this address" + again, true
	default:
		return "Kafka broker lost, trying again until it is back", false
	}
}
