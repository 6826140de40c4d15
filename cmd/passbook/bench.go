package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"passbook/bench"
)

// benchCommand measures passbook on the engines that are set. Its settings of
// engines are those of serve, by the same names; it never touches the databases
// and the topic that they name, but makes its own on the same servers.
type benchCommand struct {
	Name     string        `arg:"" help:"What to measure: ${benches}."`
	Duration time.Duration `default:"10s" help:"For how long the figure is measured, and again what it is compared with." placeholder:"TIME"`
	JSON     bool          `help:"Print one JSON object." name:"json"`

	Callers     int     `default:"256" help:"append: callers who append at the same time." placeholder:"N"`
	Processes   []int   `help:"append, MongoDB: also with so many processes that write to one store, such as 1,2,4." placeholder:"N,..."`
	Connections int     `default:"256" help:"commands, hot-account, queries, end-to-end: HTTP connections." placeholder:"N"`
	Accounts    int     `default:"1000" help:"commands, queries, end-to-end: how many accounts." placeholder:"N"`
	Rate        float64 `help:"end-to-end: commands a second; 0: half of what the services can do." placeholder:"R"`

	storeFlags      `embed:""`
	readDBFlag      `embed:""`
	brokerFlags     `embed:""`
	TopicPartitions int32 `default:"6" env:"PASSBOOK_TOPIC_PARTITIONS" help:"Partitions of the bench's topics, 1 to 1000." placeholder:"N"`
	TopicReplicas   int16 `default:"0" env:"PASSBOOK_TOPIC_REPLICAS" help:"Replicas of them; 0: as the brokers allow, up to 3." placeholder:"N"`

	Join bool `help:"append: one of several processes; says what it did to the one that asked for it." hidden:""`
	Row  bool `help:"Print a row of a Markdown table." hidden:""`
}

// benchEcho is no bench: it is the server that HTTP is compared with, as a process
// of its own.
const benchEcho = "echo"

// Run measures, and prints the figure beside its yardstick.
func (c *benchCommand) Run(ctx context.Context, out output) error {
	if c.Name == benchEcho {
		return bench.ServeEcho(ctx, out.stderr)
	}
	config, err := c.config()
	if err != nil {
		return err
	}
	if c.Join {
		done, err := bench.Join(ctx, c.EventStore, c.Callers, c.Duration)
		if err != nil {
			return err //nolint:wrapcheck // for the one that asked for it
		}
		return printJSON(out.stdout, done)
	}
	bar := newProgress(out.stderr, "bench "+c.Name)
	defer bar.close()
	config.Progress = func(done, total time.Duration) { bar.set(done.Milliseconds(), total.Milliseconds()) }
	result, err := bench.Run(ctx, c.Name, config)
	bar.close()
	switch {
	case err != nil:
		return fmt.Errorf("bench %s: %w", c.Name, err)
	case c.JSON:
		return printJSON(out.stdout, result)
	case c.Row:
		return result.WriteRow(out.stdout)
	}
	return result.WriteText(out.stdout)
}

// config reads the flags and reports every fault at once.
func (c *benchCommand) config() (bench.Config, error) {
	var faults []error
	within := func(flag string, value, least, most int) {
		if value < least || value > most {
			faults = append(faults, fmt.Errorf("--%s: %d is out of range: want %d to %d", flag, value, least, most))
		}
	}
	if !slices.Contains(bench.Names(), c.Name) {
		faults = append(faults, fmt.Errorf("NAME: there is no bench %q: want one of %s", c.Name, strings.Join(bench.Names(), ", ")))
	}
	if c.Duration < 100*time.Millisecond || c.Duration > time.Hour {
		faults = append(faults, fmt.Errorf("--duration: %s is out of range: want 100ms to 1h", c.Duration))
	}
	within("callers", c.Callers, 1, 10_000)
	within("connections", c.Connections, 1, 10_000)
	within("accounts", c.Accounts, 1, 1_000_000)
	within("topic-partitions", int(c.TopicPartitions), 1, 1000)
	within("topic-replicas", int(c.TopicReplicas), 0, 1000)
	for _, n := range c.Processes {
		within("processes", n, 1, 64)
	}
	if !(c.Rate >= 0 && c.Rate <= 1_000_000) {
		faults = append(faults, fmt.Errorf("--rate: %g is out of range: want 0 to 1000000", c.Rate))
	}
	_, err := c.storeFlags.location()
	faults = append(faults, err)
	_, err = c.readDBFlag.location(c.Data)
	faults = append(faults, err)
	broker, err := c.brokerFlags.location()
	faults = append(faults, err)
	program, err := os.Executable()
	faults = append(faults, err)
	if err := errors.Join(faults...); err != nil {
		return bench.Config{}, err
	}
	config := bench.Config{
		Program: program, EventStore: c.EventStore, ReadDB: c.ReadDB, Folder: filepath.Dir(filepath.Clean(c.Data)),
		Environment: c.brokerFlags.environment(),
		Duration:    c.Duration, Callers: c.Callers, Processes: c.Processes,
		Connections: c.Connections, Accounts: c.Accounts, Rate: c.Rate,
	}
	if !broker.embedded {
		config.Broker = broker.config("", nil)
	}
	config.Broker.Partitions, config.Broker.Replicas = c.TopicPartitions, c.TopicReplicas
	return config, nil
}

// environment is what services need to reach the broker: the flags of this
// command, as variables.
func (f *brokerFlags) environment() []string {
	var entries []string
	for name, value := range map[string]string{
		"SASL_MECHANISM": f.SASLMechanism, "SASL_USER": f.SASLUser, "SASL_PASSWORD": f.SASLPassword,
		"TLS_CA": f.TLSCA, "TLS_CERT": f.TLSCert, "TLS_KEY": f.TLSKey,
	} {
		if value != "" {
			entries = append(entries, "PASSBOOK_KAFKA_"+name+"="+value)
		}
	}
	return entries
}
