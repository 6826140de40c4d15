package main

import (
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strings"
)

// parseSQLite reads where a SQLite database is: "sqlite" is a file of that
// name in the data folder, "sqlite:PATH" a file anywhere.
func parseSQLite(text, folder, file string) (string, error) {
	engine, path, named := strings.Cut(text, ":")
	switch {
	case engine != "sqlite":
		return "", fmt.Errorf("%q is no engine of this version: want sqlite or sqlite:PATH", engine)
	case !named:
		return filepath.Join(folder, file), nil
	case path == "":
		return "", errors.New("sqlite: has no path behind it: want sqlite:PATH, or sqlite for a file in the data folder")
	case strings.ContainsAny(path, "?#%"):
		return "", errors.New("the path of a SQLite file may not hold any of ? # %: choose another one")
	}
	return filepath.Clean(path), nil
}

// brokerLocation is the embedded broker's address, or those of Kafka's brokers.
type brokerLocation struct {
	embedded bool
	addrs    []string
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
