package kafka_test

import (
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"passbook/engine/kafka"
	"passbook/es/bus"
)

func TestGuarded_Embedded(t *testing.T) { testGuarded(t, embeddedGuarded(t)) }

func TestGuarded_Real(t *testing.T) { testGuarded(t, realGuarded(t)) }

func testGuarded(t *testing.T, g *guarded) {
	t.Helper()
	for _, mechanism := range mechanisms() {
		sasl := kafka.SASL{Mechanism: mechanism, User: "writer", Password: secret}
		wrong := sasl
		wrong.Password = secret + "-not"
		t.Run(mechanism, func(t *testing.T) {
			t.Run("OK", func(t *testing.T) { testLetIn(t, g.sasl, sasl, nil) })
			t.Run("OKWithTLS", func(t *testing.T) { testLetIn(t, g.saslTLS, sasl, g.clientTLS(t, false)) })
			t.Run("WrongPassword", func(t *testing.T) {
				testKeptOut(t, g.sasl, wrong, nil, "authentication failed: check SASL user and password")
			})
			t.Run("WrongPasswordWithTLS", func(t *testing.T) {
				testKeptOut(t, g.saslTLS, wrong, g.clientTLS(t, false), "authentication failed: check SASL user and password")
			})
		})
	}
	ours := kafka.SASL{Mechanism: kafka.ScramSHA512, User: "writer", Password: secret}
	stranger := &guarded{issuer: newIssuer(t)}
	t.Run("PasswordSetRight", func(t *testing.T) { testPasswordSetRight(t, g) })
	t.Run("NoSASL", func(t *testing.T) { testKeptOut(t, g.sasl, kafka.SASL{}, nil, "hangs up at once") })
	t.Run("ClientCertificate", func(t *testing.T) { testLetIn(t, g.tls, kafka.SASL{}, g.clientTLS(t, true)) })
	t.Run("NoClientCertificate", func(t *testing.T) {
		testKeptOut(t, g.tls, kafka.SASL{}, g.clientTLS(t, false), "check the client's certificate")
	})
	t.Run("ClientCertificateOfAnother", func(t *testing.T) {
		config := stranger.clientTLS(t, true)
		config.RootCAs = g.clientTLS(t, false).RootCAs
		testKeptOut(t, g.tls, kafka.SASL{}, config, "check the client's certificate")
	})
	t.Run("WrongAuthority", func(t *testing.T) {
		testKeptOut(t, g.saslTLS, ours, stranger.clientTLS(t, false), "broker is not trusted")
	})
	t.Run("WrongHost", func(t *testing.T) {
		config := g.clientTLS(t, false)
		config.ServerName = "kafka.example"
		testKeptOut(t, g.saslTLS, ours, config, "broker is not trusted")
	})
	t.Run("AuthorityOfTheSystem", func(t *testing.T) {
		testKeptOut(t, g.saslTLS, ours, &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: x509.NewCertPool()}, "broker is not trusted")
	})
	t.Run("TLSWhereThereIsNone", func(t *testing.T) {
		testKeptOut(t, g.open, kafka.SASL{}, g.clientTLS(t, false), "TLS")
	})
	t.Run("NoTLS", func(t *testing.T) { testKeptOut(t, g.saslTLS, ours, nil, "TLS") })
}

// testLetIn has records go in and come out, also by the producer of foreign
// topics.
func testLetIn(t *testing.T, brokers []string, sasl kafka.SASL, config *tls.Config) {
	t.Helper()
	with := func(c *kafka.Config) { c.SASL, c.TLS = sasl, config }
	var b *kafka.Bus
	var topic bus.Topic
	eventually(t, func() bool {
		var err error
		b = newBus(t, brokers, with)
		topic, err = b.Open(t.Context())
		return err == nil
	}, "a password that was just set gets around")
	publish(t, b, topic, records(1, 0, 20))
	consumer := newTally()
	run(t, b, "g"+rand.Text(), consumer)
	consumer.waitFor(t, 1, numbers(20))

	name := "foreign-" + rand.Text()
	f, err := kafka.NewForeign(kafka.Config{Brokers: brokers, Partitions: 1, SASL: sasl, TLS: config}, name)
	require.NoError(t, err)
	defer f.Close()
	_, err = f.Open(t.Context())
	require.NoError(t, err)
	p, err := f.Producer()
	require.NoError(t, err)
	defer p.Close()
	_, _, err = p.Publish(t.Context(), name, bus.Message{Key: "k", Value: []byte("v")})
	require.NoError(t, err)
}

// testKeptOut: whoever asks is told why in one line, and what runs logs it.
func testKeptOut(t *testing.T, brokers []string, sasl kafka.SASL, config *tls.Config, says string) {
	t.Helper()
	book := &logBook{}
	b := newBus(t, brokers, func(c *kafka.Config) { c.SASL, c.TLS, c.Logger = sasl, config, book.logger() })
	_, err := b.Open(within(t))
	require.Error(t, err)
	require.NotContains(t, err.Error(), "\n")
	t.Log(err)
	if strings.Contains(says, "authentication") {
		require.Contains(t, strings.ToLower(err.Error()), "authentication failed")
	}
	require.GreaterOrEqual(t, book.count(says), 1, "%s", book.text())
	lines := book.count("level=WARN")

	stop := run(t, b, "g", newTally())
	p := newProducer(t, b, bus.Topic{Name: "t", ID: "AAAAAAAAAAAAAAAAAAAAAA", Partitions: 1})
	ctx := within(t)
	published := make(chan error, 1)
	go func() {
		_, err := p.Publish(ctx, records(0, 0, 1))
		published <- err
	}()
	if strings.Contains(says, "authentication") {
		require.ErrorContains(t, <-published, "SASL_AUTHENTICATION_FAILED", "it is not tried for ever")
	}
	stop()
	p.Close()
	require.LessOrEqual(t, book.count("level=WARN"), lines+1, "not a line for each attempt: %s", book.text())
	require.Zero(t, book.count(secret))
	require.NotContains(t, err.Error(), secret)
}

// testPasswordSetRight has the brokers given the password that a consumer has
// been trying for a while.
func testPasswordSetRight(t *testing.T, g *guarded) {
	t.Helper()
	user := "late-" + strings.ToLower(rand.Text())
	right := func(c *kafka.Config) {
		c.SASL = kafka.SASL{Mechanism: kafka.ScramSHA256, User: "writer", Password: secret}
	}
	owner := newBus(t, g.sasl, right)
	topic := open(t, owner)
	publish(t, owner, topic, records(0, 0, 10))

	book := &logBook{}
	b := newBus(t, g.sasl, func(c *kafka.Config) {
		c.Topic, c.Logger = topic.Name, book.logger()
		c.SASL = kafka.SASL{Mechanism: kafka.ScramSHA512, User: user, Password: secret}
	})
	consumer := newTally()
	run(t, b, "g"+rand.Text(), consumer)
	eventually(t, func() bool { return book.count("authentication failed") > 0 }, "it is told")
	g.setPassword(t, user, secret)
	consumer.waitFor(t, 0, numbers(10))
	require.Positive(t, book.count("broker is back"))
}
