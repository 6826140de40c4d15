package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"path/filepath"
	"slices"
	"strings"

	"passbook/engine/kafka"
)

// location is where a database is: a SQLite file, or a server.
type location struct {
	path string // of the file; empty: it is at url
	url  string // with user and password
}

// server tells whether it is a server's, which others may use too.
func (l location) server() bool { return l.path == "" }

// String names it without user and password.
func (l location) String() string {
	if !l.server() {
		return l.path
	}
	return withoutPassword(l.url)
}

// parseEventStore reads where the event store is.
func parseEventStore(text, folder string) (location, error) {
	return parseLocation(text, folder, "events.db", "mongodb://host:port/passbook?replicaSet=name", "mongodb", "mongodb+srv")
}

// parseDatabase reads where the read database, or that of notifications, is.
func parseDatabase(text, folder, file string) (location, error) {
	return parseLocation(text, folder, file, "mysql://user:password@host:port/database", "mysql")
}

// parseLocation reads where a database is: "sqlite" is a file of that name in
// the data folder, "sqlite:PATH" a file anywhere; a URL of one of the schemes is
// left to its engine to read. No error repeats what was given in a URL.
func parseLocation(text, folder, file, form string, schemes ...string) (location, error) {
	engine, path, named := strings.Cut(text, ":")
	switch {
	case slices.Contains(schemes, engine) && strings.HasPrefix(path, "//"):
		return location{url: text}, nil
	case engine != "sqlite":
		return location{}, fmt.Errorf("%q is no engine for it: want sqlite, sqlite:PATH or %s", engine, form)
	case !named:
		return location{path: filepath.Join(folder, file)}, nil
	case path == "":
		return location{}, errors.New("sqlite: has no path behind it: want sqlite:PATH, or sqlite for a file in the data folder")
	case strings.ContainsAny(path, "?#%"):
		return location{}, errors.New("the path of a SQLite file may not hold any of ? # %: choose another one")
	}
	return location{path: filepath.Clean(path)}, nil
}

// same tells whether two databases are one, as far as their names tell.
func (l location) same(other location) bool {
	if l.server() != other.server() {
		return false
	}
	if !l.server() {
		return l.path == other.path
	}
	a, errA := url.Parse(l.url)
	b, errB := url.Parse(other.url)
	return errA == nil && errB == nil && a.Scheme == b.Scheme && strings.EqualFold(a.Host, b.Host) && a.Path == b.Path
}

// withoutPassword returns a URL without the user's part.
func withoutPassword(url string) string {
	scheme, rest, ok := strings.Cut(url, "://")
	if at := strings.LastIndex(rest, "@"); ok && at >= 0 {
		return scheme + "://" + rest[at+1:]
	}
	return url
}

// brokerLocation is the embedded broker's address, or those of Kafka's brokers.
type brokerLocation struct {
	embedded bool
	addrs    []string
	sasl     kafka.SASL
	tls      *tls.Config // nil: in clear
}

// config is that of a client of a topic there.
func (l brokerLocation) config(topic string, log *slog.Logger) kafka.Config {
	return kafka.Config{Brokers: l.addrs, Topic: topic, SASL: l.sasl, TLS: l.tls, Logger: log}
}

const defaultBrokerAddr = "127.0.0.1:9092"

func parseBroker(text string) (brokerLocation, error) {
	if seeds, ok := strings.CutPrefix(text, "kafka://"); ok {
		addrs := strings.Split(seeds, ",")
		for _, addr := range addrs {
			if err := checkAddr(addr); err != nil {
				return brokerLocation{}, fmt.Errorf("%w: want kafka://host:port,host:port", err)
			}
		}
		return brokerLocation{addrs: addrs}, nil
	}
	kind, addr, named := strings.Cut(text, ":")
	if kind != "embedded" {
		return brokerLocation{}, fmt.Errorf("%q is no broker: want embedded, embedded:HOST:PORT or kafka://host:port,host:port", kind)
	}
	if !named {
		addr = defaultBrokerAddr
	}
	if err := checkAddr(addr); err != nil {
		return brokerLocation{}, fmt.Errorf("%w: want embedded:HOST:PORT", err)
	}
	return brokerLocation{embedded: true, addrs: []string{addr}}, nil
}

func checkAddr(addr string) error {
	host, port, err := net.SplitHostPort(addr)
	if err != nil || host == "" || port == "" {
		return fmt.Errorf("%q is no host and port", addr)
	}
	return nil
}

// loopback tells whether an address can be reached from this machine only. A
// name other than localhost may mean anything, so it is not.
func loopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return false
	}
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}
