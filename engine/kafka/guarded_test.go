package kafka_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"passbook/engine/kafka"
	"passbook/internal/testenv"
)

// guarded are brokers that do not let everybody in. The user "writer" has the
// password in secret, whatever the mechanism.
type guarded struct {
	issuer  *issuer
	sasl    []string // addresses where SASL is wanted
	saslTLS []string // SASL and TLS
	tls     []string // TLS with a certificate of the client's
	open    []string // neither; not of the same cluster where it is embedded
	// answers: a wrong password is answered. The embedded broker hangs up.
	answers bool
	// admin may change what users of the brokers at sasl have for passwords.
	admin *kadm.Client
}

func mechanisms() []string {
	return []string{kafka.Plain, kafka.ScramSHA256, kafka.ScramSHA512}
}

func embeddedGuarded(tb testing.TB) *guarded {
	tb.Helper()
	g := &guarded{issuer: newIssuer(tb)}
	users := []kfake.Opt{kfake.EnableSASL(), kfake.Superuser(kafka.ScramSHA256, "admin", "admin")}
	for _, mechanism := range mechanisms() {
		users = append(users, kfake.Superuser(mechanism, "writer", secret))
	}
	cert, key := g.issuer.issue(tb, "broker")
	pair, err := tls.X509KeyPair(cert, key)
	require.NoError(tb, err)
	server := &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}}
	strict := server.Clone()
	strict.ClientAuth, strict.ClientCAs = tls.RequireAndVerifyClientCert, x509.NewCertPool()
	strict.ClientCAs.AddCert(g.issuer.certificate)

	g.open = startCluster(tb).ListenAddrs()
	g.sasl = startCluster(tb, users...).ListenAddrs()
	g.saslTLS = startCluster(tb, append(users, kfake.TLS(server))...).ListenAddrs()
	g.tls = startCluster(tb, kfake.TLS(strict)).ListenAddrs()
	client, err := kgo.NewClient(kgo.SeedBrokers(g.sasl...),
		kgo.SASL(scram.Auth{User: "admin", Pass: "admin"}.AsSha256Mechanism()))
	require.NoError(tb, err)
	tb.Cleanup(client.Close)
	g.admin = kadm.NewClient(client)
	return g
}

// notHere is the exit code of scripts/engines where the machine cannot have an
// engine.
const notHere = 3

// realGuarded starts a broker of the test's own: those that tests share let
// everybody in.
func realGuarded(tb testing.TB) *guarded {
	tb.Helper()
	switch os.Getenv("PASSBOOK_TEST_ENGINES") {
	case "start":
	case "off":
		tb.Skip("real engines are switched off: PASSBOOK_TEST_ENGINES=off")
	default:
		testenv.Skip(tb, "a Kafka broker of the test's own: set PASSBOOK_TEST_ENGINES=start")
	}
	g := &guarded{
		answers: true,
		issuer:  newIssuer(tb),
		sasl:    []string{testenv.FreeAddr(tb)},
		saslTLS: []string{testenv.FreeAddr(tb)},
		tls:     []string{testenv.FreeAddr(tb)},
	}
	folder := tb.TempDir()
	properties := filepath.Join(folder, "guarded.properties")
	require.NoError(tb, os.WriteFile(properties, []byte(g.properties(tb)), 0o600))
	script := func(args ...string) (said string, err error) {
		command := exec.Command("../../scripts/engines", append(args, "--folder", filepath.Join(folder, "engine"), "kafka")...)
		command.Env = append(os.Environ(), "PASSBOOK_ENGINES_KAFKA_PROPERTIES="+properties)
		output, err := command.Output()
		if exit, ok := errors.AsType[*exec.ExitError](err); ok {
			return string(exit.Stderr), err
		}
		return string(output), err
	}
	tb.Cleanup(func() {
		if said, err := script("stop", "--remove"); err != nil {
			tb.Errorf("stop the broker: %v: %s", err, said)
		}
	})
	said, err := script("start", "--nosync")
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && exit.ExitCode() == notHere {
		testenv.Skip(tb, said)
	}
	require.NoError(tb, err, said)
	started := strings.Fields(said) // engine, node, process, port
	require.Len(tb, started, 4)
	g.open = []string{"127.0.0.1:" + started[3]}
	g.admin = newAdmin(tb, g.open)
	g.setPassword(tb, "writer", secret)
	return g
}

// properties are those of a broker with all four kinds of listeners.
func (g *guarded) properties(tb testing.TB) string {
	tb.Helper()
	const jaas = "org.apache.kafka.common.security"
	cert, key := g.issuer.issue(tb, "broker")
	inline := func(pem []byte) string { return strings.ReplaceAll(strings.TrimSpace(string(pem)), "\n", `\n`) }
	var p strings.Builder
	fmt.Fprintf(&p, "listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller},SASL://%[1]s,SASLTLS://%[2]s,TLS://%[3]s\n"+
		"advertised.listeners=PLAINTEXT://127.0.0.1:{port},SASL://%[1]s,SASLTLS://%[2]s,TLS://%[3]s\n"+
		"listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL:SASL_PLAINTEXT,SASLTLS:SASL_SSL,TLS:SSL\n",
		g.sasl[0], g.saslTLS[0], g.tls[0])
	for _, listener := range []string{"sasl", "sasltls"} {
		at := "listener.name." + listener
		fmt.Fprintf(&p, "%s.sasl.enabled.mechanisms=%s\n", at, strings.Join(mechanisms(), ","))
		fmt.Fprintf(&p, "%s.plain.sasl.jaas.config=%s.plain.PlainLoginModule required user_writer=\"%s\";\n", at, jaas, secret)
		fmt.Fprintf(&p, "%s.scram-sha-256.sasl.jaas.config=%s.scram.ScramLoginModule required;\n", at, jaas)
		fmt.Fprintf(&p, "%s.scram-sha-512.sasl.jaas.config=%s.scram.ScramLoginModule required;\n", at, jaas)
	}
	for _, listener := range []string{"sasltls", "tls"} {
		at := "listener.name." + listener + ".ssl"
		fmt.Fprintf(&p, "%s.keystore.type=PEM\n%s.keystore.certificate.chain=%s\n%s.keystore.key=%s\n", at, at, inline(cert), at, inline(key))
		fmt.Fprintf(&p, "%s.truststore.type=PEM\n%s.truststore.certificates=%s\n", at, at, inline(g.issuer.pem))
	}
	p.WriteString("listener.name.tls.ssl.client.auth=required\n")
	return p.String()
}

// setPassword gives a user a password for both kinds of SCRAM.
func (g *guarded) setPassword(tb testing.TB, user, password string) {
	tb.Helper()
	for _, mechanism := range []kadm.ScramMechanism{kadm.ScramSha256, kadm.ScramSha512} {
		altered, err := g.admin.AlterUserSCRAMs(tb.Context(), nil, []kadm.UpsertSCRAM{
			{User: user, Mechanism: mechanism, Iterations: 4096, Password: password},
		})
		require.NoError(tb, err)
		require.NoError(tb, altered.Error())
	}
}

// clientTLS trusts the brokers; with own it has a certificate of their issuer.
func (g *guarded) clientTLS(tb testing.TB, own bool) *tls.Config {
	tb.Helper()
	ca, cert, key := g.issuer.files(tb, tb.TempDir(), "client")
	if !own {
		cert, key = "", ""
	}
	config, err := kafka.LoadTLS(ca, cert, key)
	require.NoError(tb, err)
	return config
}
