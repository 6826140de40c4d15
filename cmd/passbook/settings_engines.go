package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"passbook/engine/kafka"
)

// storeFlags say where the event store is.
type storeFlags struct {
	Data       string `default:"./passbook-data" env:"PASSBOOK_DATA" help:"Folder of the embedded engines." placeholder:"FOLDER"`
	EventStore string `default:"sqlite" env:"PASSBOOK_EVENT_STORE" help:"Event store: sqlite, sqlite:PATH or mongodb://host:port/passbook?replicaSet=name." placeholder:"ENGINE"`
}

func (f *storeFlags) location() (location, error) {
	l, err := parseEventStore(f.EventStore, filepath.Clean(f.Data))
	return l, refuse("PASSBOOK_EVENT_STORE", "event-store", err)
}

// readDBFlag says where the read database is.
type readDBFlag struct {
	ReadDB string `default:"sqlite" env:"PASSBOOK_READ_DB" help:"Read database: sqlite, sqlite:PATH or mysql://user:password@host:port/database." name:"read-db" placeholder:"ENGINE"`
}

func (f *readDBFlag) location(folder string) (location, error) {
	l, err := parseDatabase(f.ReadDB, folder, "readmodel.db")
	return l, refuse("PASSBOOK_READ_DB", "read-db", err)
}

// notifyDBFlag says where the notification database is.
type notifyDBFlag struct {
	NotifyDB string `default:"sqlite" env:"PASSBOOK_NOTIFY_DB" help:"Notification database: sqlite, sqlite:PATH or mysql://user:password@host:port/database." name:"notify-db" placeholder:"ENGINE"`
}

func (f *notifyDBFlag) location(folder string) (location, error) {
	l, err := parseDatabase(f.NotifyDB, folder, "notify.db")
	return l, refuse("PASSBOOK_NOTIFY_DB", "notify-db", err)
}

// brokerFlags say where the broker is, and who we are to it.
type brokerFlags struct {
	Broker        string `default:"embedded" env:"PASSBOOK_BROKER" help:"Broker: embedded, embedded:HOST:PORT or kafka://host:port,host:port." placeholder:"BROKER"`
	SASLMechanism string `env:"PASSBOOK_KAFKA_SASL_MECHANISM" help:"How Kafka is told who we are: PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512. Unset: not at all." name:"kafka-sasl-mechanism" placeholder:"NAME"`
	SASLUser      string `env:"PASSBOOK_KAFKA_SASL_USER" help:"User of Kafka." name:"kafka-sasl-user" placeholder:"USER"`
	SASLPassword  string `env:"PASSBOOK_KAFKA_SASL_PASSWORD" help:"Password of that user." name:"kafka-sasl-password" placeholder:"PASSWORD"`
	TLSCA         string `env:"PASSBOOK_KAFKA_TLS_CA" help:"PEM file of the authorities that vouch for Kafka's brokers. Unset, and no certificate either: no TLS." name:"kafka-tls-ca" placeholder:"FILE"`
	TLSCert       string `env:"PASSBOOK_KAFKA_TLS_CERT" help:"PEM file of our certificate for Kafka." name:"kafka-tls-cert" placeholder:"FILE"`
	TLSKey        string `env:"PASSBOOK_KAFKA_TLS_KEY" help:"PEM file of its key." name:"kafka-tls-key" placeholder:"FILE"`
}

// location reads the flags; every fault names its setting.
func (f *brokerFlags) location() (brokerLocation, error) {
	l, err := parseBroker(f.Broker)
	if err != nil {
		return l, refuse("PASSBOOK_BROKER", "broker", err)
	}
	l.sasl = kafka.SASL{Mechanism: f.SASLMechanism, User: f.SASLUser, Password: f.SASLPassword}
	if l.tls, err = f.loadTLS(); err != nil {
		return l, fmt.Errorf("PASSBOOK_KAFKA_TLS_CA, _CERT, _KEY (--kafka-tls-…): %w", err)
	}
	switch known := []string{kafka.Plain, kafka.ScramSHA256, kafka.ScramSHA512}; {
	case l.embedded && (l.tls != nil || l.sasl != kafka.SASL{}):
		return l, refuse("PASSBOOK_BROKER", "broker", errors.New("the embedded broker knows neither TLS nor users: unset PASSBOOK_KAFKA_…, or name brokers as kafka://host:port"))
	case l.sasl == kafka.SASL{}:
	case !slices.Contains(known, f.SASLMechanism):
		return l, refuse("PASSBOOK_KAFKA_SASL_MECHANISM", "kafka-sasl-mechanism", fmt.Errorf("%q is none of %v", f.SASLMechanism, known))
	case f.SASLUser == "":
		return l, refuse("PASSBOOK_KAFKA_SASL_USER", "kafka-sasl-user", errors.New("it is empty, and there is a mechanism or a password"))
	case f.SASLPassword == "":
		return l, refuse("PASSBOOK_KAFKA_SASL_PASSWORD", "kafka-sasl-password", errors.New("it is empty, and there is a mechanism or a user"))
	}
	return l, nil
}

func (f *brokerFlags) loadTLS() (*tls.Config, error) {
	if f.TLSCA == "" && f.TLSCert == "" && f.TLSKey == "" {
		return nil, nil //nolint:nilnil // no TLS is wanted
	}
	return kafka.LoadTLS(f.TLSCA, f.TLSCert, f.TLSKey) //nolint:wrapcheck // the settings are named
}

// topicFlag says which topic is the feed.
type topicFlag struct {
	Topic string `default:"account-events" env:"PASSBOOK_TOPIC" help:"Topic of the feed." placeholder:"NAME"`
}
