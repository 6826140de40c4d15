package kafka_test

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"passbook/engine/kafka"
)

const secret = "s3cret-of-ours"

func TestNew_SASL(t *testing.T) {
	cases := map[string]struct {
		sasl  kafka.SASL
		wrong []string
	}{
		"None":             {kafka.SASL{}, nil},
		"Plain":            {kafka.SASL{Mechanism: kafka.Plain, User: "u", Password: secret}, nil},
		"Scram256":         {kafka.SASL{Mechanism: kafka.ScramSHA256, User: "u", Password: secret}, nil},
		"Scram512":         {kafka.SASL{Mechanism: kafka.ScramSHA512, User: "u", Password: secret}, nil},
		"UnknownMechanism": {kafka.SASL{Mechanism: "GSSAPI", User: "u", Password: secret}, []string{`SASL.Mechanism is "GSSAPI": want one of PLAIN, SCRAM-SHA-256, SCRAM-SHA-512`}},
		"NoMechanism":      {kafka.SASL{User: "u", Password: secret}, []string{`SASL.Mechanism is ""`}},
		"NoUser":           {kafka.SASL{Mechanism: kafka.Plain, Password: secret}, []string{"SASL.User is empty"}},
		"NoPassword":       {kafka.SASL{Mechanism: kafka.ScramSHA512, User: "u"}, []string{"SASL.Password is empty"}},
		"Neither":          {kafka.SASL{Mechanism: kafka.Plain}, []string{"SASL.User is empty", "SASL.Password is empty"}},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			b, err := kafka.New(kafka.Config{Brokers: []string{"127.0.0.1:1"}, Topic: "t", SASL: test.sasl})
			if test.wrong == nil {
				require.NoError(t, err)
				b.Close()
				return
			}
			require.Error(t, err)
			require.Len(t, strings.Split(err.Error(), "\n"), len(test.wrong), "a line each")
			for _, wrong := range test.wrong {
				require.ErrorContains(t, err, wrong)
			}
			require.NotContains(t, err.Error(), secret)
			_, err = kafka.NewForeign(kafka.Config{Brokers: []string{"127.0.0.1:1"}, SASL: test.sasl}, "t")
			require.ErrorContains(t, err, test.wrong[0])
		})
	}
}

// TestSASL_PrintsNoPassword: in no form that a log or an error may bring about.
func TestSASL_PrintsNoPassword(t *testing.T) {
	config := kafka.Config{SASL: kafka.SASL{Mechanism: kafka.Plain, User: "somebody", Password: secret}}
	var lines bytes.Buffer
	slog.New(slog.NewTextHandler(&lines, nil)).Info("text", "sasl", config.SASL, "config", config)
	slog.New(slog.NewJSONHandler(&lines, nil)).Info("JSON", "sasl", config.SASL)
	fmt.Fprintf(&lines, "%v %+v %#v %s %v %+v", config.SASL, config.SASL, config.SASL, config.SASL, config, config)
	encoded, err := json.Marshal(config.SASL)
	require.NoError(t, err)
	lines.Write(encoded)
	require.Contains(t, lines.String(), "PLAIN as somebody")
	require.NotContains(t, lines.String(), secret)
}

func TestNew_WarnsOfPlainPassword(t *testing.T) {
	far, near := []string{"127.0.0.1:1", "kafka.example:9092"}, []string{"127.0.0.1:1", "localhost:2", "[::1]:3"}
	sasl := func(mechanism string) kafka.SASL {
		return kafka.SASL{Mechanism: mechanism, User: "u", Password: secret}
	}
	cases := map[string]struct {
		config kafka.Config
		lines  int
	}{
		"Plain":     {kafka.Config{Brokers: far, SASL: sasl(kafka.Plain)}, 1},
		"Loopback":  {kafka.Config{Brokers: near, SASL: sasl(kafka.Plain)}, 0},
		"Encrypted": {kafka.Config{Brokers: far, SASL: sasl(kafka.Plain), TLS: &tls.Config{MinVersion: tls.VersionTLS13}}, 0},
		"Scram":     {kafka.Config{Brokers: far, SASL: sasl(kafka.ScramSHA256)}, 0},
		"None":      {kafka.Config{Brokers: far}, 0},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			book := &logBook{}
			test.config.Topic, test.config.Logger = "t", book.logger()
			b, err := kafka.New(test.config)
			require.NoError(t, err)
			b.Close()
			require.Equal(t, test.lines, book.count("password for Kafka goes over the network"))

			f, err := kafka.NewForeign(test.config, "a", "b")
			require.NoError(t, err)
			f.Close()
			require.Equal(t, 2*test.lines, book.count("kafka.example:9092"), "one for all topics")
			require.Zero(t, book.count(secret))
		})
	}
}

func TestLoadTLS(t *testing.T) {
	folder := t.TempDir()
	issuer := newIssuer(t)
	ca, cert, key := issuer.files(t, folder, "client")
	_, _, otherKey := issuer.files(t, filepath.Join(folder, "other"), "client")
	empty, missing := filepath.Join(folder, "empty.pem"), filepath.Join(folder, "missing.pem")
	require.NoError(t, os.WriteFile(empty, []byte("no certificate"), 0o600))

	for name, paths := range map[string][3]string{
		"System": {"", "", ""}, "Authority": {ca, "", ""}, "Client": {"", cert, key}, "Both": {ca, cert, key},
	} {
		t.Run(name, func(t *testing.T) {
			config, err := kafka.LoadTLS(paths[0], paths[1], paths[2])
			require.NoError(t, err)
			require.Equal(t, uint16(tls.VersionTLS12), config.MinVersion)
			require.Equal(t, paths[0] != "", config.RootCAs != nil)
			require.Equal(t, paths[1] != "", len(config.Certificates) == 1)
		})
	}
	for name, wrong := range map[string]struct {
		paths [3]string
		says  []string
	}{
		"NoSuchAuthority":   {[3]string{missing, "", ""}, []string{missing}},
		"EmptyAuthority":    {[3]string{empty, "", ""}, []string{empty, "holds no certificate"}},
		"CertificateAlone":  {[3]string{ca, cert, ""}, []string{cert, "has no key"}},
		"KeyAlone":          {[3]string{ca, "", key}, []string{key, "has no certificate"}},
		"NoSuchCertificate": {[3]string{ca, missing, key}, []string{missing}},
		"NoSuchKey":         {[3]string{ca, cert, missing}, []string{missing}},
		"EmptyCertificate":  {[3]string{ca, empty, key}, []string{empty}},
		"KeyOfAnother":      {[3]string{ca, cert, otherKey}, []string{cert, otherKey}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := kafka.LoadTLS(wrong.paths[0], wrong.paths[1], wrong.paths[2])
			require.Error(t, err)
			require.NotContains(t, err.Error(), "\n")
			for _, text := range wrong.says {
				require.ErrorContains(t, err, text)
			}
		})
	}
}
