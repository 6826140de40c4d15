package kafka_test

import (
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl/plain"

	"passbook/engine/kafka"
	"passbook/es/bus"
)

func TestGuarded_Embedded(t *testing.T) { testGuarded(t, embeddedGuarded(t)) }

// TestGuarded_NoRights: who is let in and may not read the topic is told so, and
// goes on once it may.
func TestGuarded_NoRights(t *testing.T) {
	c := startCluster(t, kfake.EnableSASL(), kfake.EnableACLs(),
		kfake.Superuser(kafka.Plain, "owner", secret), kfake.User(kafka.Plain, "guest", secret))
	as := func(user string) func(*kafka.Config) {
		return func(c *kafka.Config) { c.SASL = kafka.SASL{Mechanism: kafka.Plain, User: user, Password: secret} }
	}
	owner := newBus(t, c.ListenAddrs(), as("owner"))
	topic := open(t, owner)
	publish(t, owner, topic, records(0, 0, 5))
	book := &logBook{}
	guest := newBus(t, c.ListenAddrs(), as("guest"), func(c *kafka.Config) { c.Topic, c.Logger = topic.Name, book.logger() })
	_, err := guest.Open(t.Context())
	require.ErrorContains(t, err, "TOPIC_AUTHORIZATION_FAILED")
	consumer := newTally()
	run(t, guest, "g", consumer)
	eventually(t, func() bool { return book.count("may not be read by this user") > 0 }, "it is told")
	require.Equal(t, 1, book.count("level=WARN"))

	client, err := kgo.NewClient(kgo.SeedBrokers(c.ListenAddrs()...), kgo.SASL(plain.Auth{User: "owner", Pass: secret}.AsMechanism()))
	require.NoError(t, err)
	defer client.Close()
	created, err := kadm.NewClient(client).CreateACLs(t.Context(), kadm.NewACLs().Allow("User:guest").AllowHosts("*").
		ResourcePatternType(kadm.ACLPatternLiteral).Topics(topic.Name).Operations(kadm.OpRead, kadm.OpDescribe))
	require.NoError(t, err)
	for _, c := range created {
		require.NoError(t, c.Err)
	}
	eventually(t, func() bool { return book.count("GROUP_AUTHORIZATION_FAILED") > 0 }, "so is that it may not join the group")
	_, err = kadm.NewClient(client).CreateACLs(t.Context(), kadm.NewACLs().Allow("User:guest").AllowHosts("*").
		ResourcePatternType(kadm.ACLPatternLiteral).Groups("g").Operations(kadm.OpRead))
	require.NoError(t, err)
	consumer.waitFor(t, 0, numbers(5))
}

func TestGuarded_Real(t *testing.T) {
	t.Parallel()
	testGuarded(t, realGuarded(t))
}

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
				testKeptOut(t, g.sasl, wrong, nil, "authentication failed", !g.answers)
				if g.answers {
					testRefused(t, g.sasl, wrong, nil)
				}
			})
			t.Run("WrongPasswordWithTLS", func(t *testing.T) {
				testKeptOut(t, g.saslTLS, wrong, g.clientTLS(t, false), "authentication failed", !g.answers)
				if g.answers {
					testRefused(t, g.saslTLS, wrong, g.clientTLS(t, false))
				}
			})
		})
	}
	ours := kafka.SASL{Mechanism: kafka.ScramSHA512, User: "writer", Password: secret}
	stranger := &guarded{issuer: newIssuer(t)}
	t.Run("PasswordSetRight", func(t *testing.T) { testPasswordSetRight(t, g) })
	t.Run("NoSASL", func(t *testing.T) { testKeptOut(t, g.sasl, kafka.SASL{}, nil, "hangs up at once", false) })
	t.Run("ClientCertificate", func(t *testing.T) { testLetIn(t, g.tls, kafka.SASL{}, g.clientTLS(t, true)) })
	t.Run("NoClientCertificate", func(t *testing.T) {
		testKeptOut(t, g.tls, kafka.SASL{}, g.clientTLS(t, false), "check the client's certificate", false)
	})
	t.Run("ClientCertificateOfAnother", func(t *testing.T) {
		config := stranger.clientTLS(t, true)
		config.RootCAs = g.clientTLS(t, false).RootCAs
		testKeptOut(t, g.tls, kafka.SASL{}, config, "check the client's certificate", false)
	})
	t.Run("WrongAuthority", func(t *testing.T) {
		testKeptOut(t, g.saslTLS, ours, stranger.clientTLS(t, false), "broker is not trusted", false)
	})
	t.Run("WrongHost", func(t *testing.T) {
		config := g.clientTLS(t, false)
		config.ServerName = "kafka.example"
		testKeptOut(t, g.saslTLS, ours, config, "broker is not trusted", false)
	})
	t.Run("AuthorityOfTheSystem", func(t *testing.T) {
		testKeptOut(t, g.saslTLS, ours, &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: x509.NewCertPool()}, "broker is not trusted", false)
	})
	if g.answers {
		t.Run("NoSASLThere", func(t *testing.T) { testKeptOut(t, g.open, ours, nil, "does not offer this SASL mechanism", false) })
		t.Run("NoTLSThere", func(t *testing.T) {
			testKeptOut(t, g.open, kafka.SASL{}, g.clientTLS(t, false), "TLS", false)
		})
	}
	t.Run("NoTLS", func(t *testing.T) { testKeptOut(t, g.saslTLS, ours, nil, "TLS", false) })
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

// testKeptOut: whoever asks is told why in one line, and what runs logs it. From
// brokers that are silent about it that takes long, and is not waited for.
func testKeptOut(t *testing.T, brokers []string, sasl kafka.SASL, config *tls.Config, says string, silent bool) {
	t.Helper()
	book := &logBook{}
	b := newBus(t, brokers, func(c *kafka.Config) { c.SASL, c.TLS, c.Logger = sasl, config, book.logger() })
	run(t, b, "g", newTally())
	eventually(t, func() bool { return book.count(says) > 0 }, "it is told")
	if !silent {
		_, err := b.Open(within(t))
		require.Error(t, err)
		require.NotContains(t, err.Error(), "\n")
		require.NotContains(t, err.Error(), secret)
	}
	require.Equal(t, 1, book.count("level=WARN"), "not a line for each attempt: %s", book.text())
	require.Zero(t, book.count(secret))
}

// testRefused: brokers that tell why are quoted, and nothing is tried for ever
// by somebody who waits for the outcome.
func testRefused(t *testing.T, brokers []string, sasl kafka.SASL, config *tls.Config) {
	t.Helper()
	b := newBus(t, brokers, func(c *kafka.Config) { c.SASL, c.TLS = sasl, config })
	_, err := b.Open(within(t))
	require.ErrorContains(t, err, "SASL_AUTHENTICATION_FAILED")
	p := newProducer(t, b, bus.Topic{Name: "t", ID: "AAAAAAAAAAAAAAAAAAAAAA", Partitions: 1})
	_, err = p.Publish(within(t), records(0, 0, 1))
	require.ErrorContains(t, err, "SASL_AUTHENTICATION_FAILED")
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
