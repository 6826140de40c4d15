package kafka

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"
)

// Mechanisms by which brokers can be told who we are.
const (
	// Plain sends the password as it is: want TLS with it.
	Plain       = "PLAIN"
	ScramSHA256 = "SCRAM-SHA-256"
	ScramSHA512 = "SCRAM-SHA-512"
)

// SASL is how we authenticate to brokers. The zero value is not to; with a
// Mechanism, User and Password are required. It prints without the password.
type SASL struct {
	Mechanism string // Plain, ScramSHA256 or ScramSHA512
	User      string
	Password  string `json:"-"`
}

var (
	_ fmt.Stringer   = SASL{}
	_ fmt.GoStringer = SASL{}
	_ slog.LogValuer = SASL{}
)

// String returns everything but the password.
func (s SASL) String() string {
	if s.Mechanism == "" {
		return "none"
	}
	return s.Mechanism + " as " + s.User
}

// GoString returns the same as String.
func (s SASL) GoString() string { return s.String() }

// LogValue returns the same as String.
func (s SASL) LogValue() slog.Value { return slog.StringValue(s.String()) }

// faults are in terms of the settings. None holds the password.
func (s SASL) faults() []string {
	if s == (SASL{}) {
		return nil
	}
	var found []string
	if known := []string{Plain, ScramSHA256, ScramSHA512}; !slices.Contains(known, s.Mechanism) {
		found = append(found, fmt.Sprintf("SASL.Mechanism is %q: want one of %s", s.Mechanism, strings.Join(known, ", ")))
	}
	if s.User == "" {
		found = append(found, "SASL.User is empty: brokers want one with a SASL.Mechanism")
	}
	if s.Password == "" {
		found = append(found, "SASL.Password is empty: brokers want one with a SASL.Mechanism")
	}
	return found
}

// security returns the options by which clients authenticate and encrypt.
func (c Config) security() []kgo.Opt {
	var options []kgo.Opt
	switch c.SASL.Mechanism {
	case Plain:
		options = append(options, kgo.SASL(plain.Auth{User: c.SASL.User, Pass: c.SASL.Password}.AsMechanism()))
	case ScramSHA256:
		options = append(options, kgo.SASL(scram.Auth{User: c.SASL.User, Pass: c.SASL.Password}.AsSha256Mechanism()))
	case ScramSHA512:
		options = append(options, kgo.SASL(scram.Auth{User: c.SASL.User, Pass: c.SASL.Password}.AsSha512Mechanism()))
	}
	if c.TLS != nil {
		options = append(options, kgo.DialTLSConfig(c.TLS))
	}
	return options
}

// warnOfPlainPassword logs a line if the password is to leave this machine as
// it is. That may be meant: the network may be a tunnel.
func (c Config) warnOfPlainPassword() {
	if c.SASL.Mechanism != Plain || c.TLS != nil {
		return
	}
	if i := slices.IndexFunc(c.Brokers, func(address string) bool { return !isLoopback(address) }); i >= 0 {
		c.Logger.Warn("the password for Kafka goes over the network as it is: SASL mechanism PLAIN without TLS",
			"broker", c.Brokers[i])
	}
}

func isLoopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		host = address
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// LoadTLS makes a Config.TLS from PEM files; each path may be empty. ca holds
// the authorities that vouch for brokers, those of the system when empty; cert
// and key are the client's certificate and its key, for brokers that want one:
// both or none. TLS 1.2 is the least that is spoken. Errors name the file and
// tell nothing of what is in it. With no path at all it stands for TLS as the
// system knows it: whoever does not want TLS does not call this.
func LoadTLS(ca, cert, key string) (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if ca != "" {
		pem, err := os.ReadFile(ca)
		if err != nil {
			return nil, fmt.Errorf("certificate authorities for Kafka: %w", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("certificate authorities for Kafka: %s holds no certificate: want PEM", ca)
		}
	}
	switch {
	case cert == "" && key == "":
		return config, nil
	case key == "":
		return nil, fmt.Errorf("client certificate for Kafka: %s has no key: name the file of its key too", cert)
	case cert == "":
		return nil, fmt.Errorf("client certificate for Kafka: key %s has no certificate: name its file too", key)
	}
	pair, err := loadPair(cert, key)
	if err != nil {
		return nil, fmt.Errorf("client certificate for Kafka: %w", err)
	}
	config.Certificates = []tls.Certificate{pair}
	return config, nil
}

func loadPair(cert, key string) (tls.Certificate, error) {
	pair, err := tls.LoadX509KeyPair(cert, key)
	var path *os.PathError // it names the file itself
	if err != nil && !errors.As(err, &path) {
		err = fmt.Errorf("%s with key %s: %w", cert, key, err)
	}
	return pair, err
}
