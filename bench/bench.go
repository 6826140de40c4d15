package bench

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"passbook/bench/load"
	"passbook/engine/kafka"
)

// Config says on what a bench runs. Program, EventStore, ReadDB, Folder and
// Duration are required.
type Config struct {
	// Program is the passbook binary, of which services are started as processes
	// of their own.
	Program string
	// EventStore is "sqlite" or a mongodb:// URL, ReadDB "sqlite" or a mysql://
	// URL. Of a URL the database is left alone: the bench makes its own on the
	// same server, which the user therefore has to be allowed.
	EventStore, ReadDB string
	// Broker says where Kafka is; without Brokers it is the embedded broker, in a
	// process of its own. Topic is not used.
	Broker kafka.Config
	// Folder is where the bench makes a folder of its own for what is embedded,
	// so that it lies on the disk that is meant.
	Folder string
	// Environment are further settings, NAME=value, that services get: what it
	// takes to reach the broker.
	Environment []string

	// Duration is for how long the figure is measured, and again the yardstick.
	Duration time.Duration
	// Callers is how many appends are under way in one process, Connections how
	// many HTTP requests. 0: 256.
	Callers, Connections int
	// Accounts is how many the commands are spread over. 0: 1000.
	Accounts int
	// Processes are the numbers of processes for which the bench append is taken
	// besides.
	Processes []int
	// Rate is that of the bench end-to-end, in commands a second. 0: half of what
	// the services are found to go on with, notifications included.
	Rate float64

	// Progress, if it is not nil, is told how much of the measuring is done.
	Progress func(done, total time.Duration)
}

func (c Config) withDefaults() Config {
	c.Callers = or(c.Callers, 256)
	c.Connections = or(c.Connections, 256)
	c.Accounts = or(c.Accounts, 1000)
	if c.Broker.Partitions == 0 {
		c.Broker.Partitions = 6
	}
	c.Broker.Logger = slog.New(slog.DiscardHandler) // what stops the bench comes as an error
	if c.Progress == nil {
		c.Progress = func(time.Duration, time.Duration) {}
	}
	return c
}

func or(value, otherwise int) int {
	if value == 0 {
		return otherwise
	}
	return value
}

// program is a bench: it returns its result, and what it leaves in the
// workspace is removed behind it.
type program struct {
	name string
	run  func(context.Context, *bench) (Result, error)
}

func programs() []program {
	return []program{
		{"append", (appendBench{}).run},
		{"commands", func(ctx context.Context, b *bench) (Result, error) { return runCommands(ctx, b, b.config.Accounts) }},
		{"hot-account", func(ctx context.Context, b *bench) (Result, error) { return runCommands(ctx, b, 1) }},
		{"queries", runQueries},
		{"relay", runRelay},
		{"projection", runProjection},
		{"restore", runRestore},
		{"end-to-end", runEndToEnd},
	}
}

// Names returns what benches there are.
func Names() []string {
	var names []string
	for _, p := range programs() {
		names = append(names, p.name)
	}
	return names
}

// Run runs the bench of that name. Whatever it made is gone when it returns, also
// when ctx ended it.
func Run(ctx context.Context, name string, config Config) (result Result, err error) {
	all := programs()
	i := slices.IndexFunc(all, func(p program) bool { return p.name == name })
	if i < 0 {
		return Result{}, fmt.Errorf("there is no bench %q: want one of %s", name, strings.Join(Names(), ", "))
	}
	b, err := newBench(config)
	if err != nil {
		return Result{}, err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	result, err = all[i].run(ctx, b)
	if err != nil {
		if cause := context.Cause(ctx); cause != nil {
			err = cause // what failed, failed of that
		}
		return Result{}, err
	}
	result.Name, result.Duration = name, config.Duration.Seconds()
	result.Engines = b.engines()
	return result, nil
}

// bench is one run of one.
type bench struct {
	*workspace
	config Config

	measured, planned time.Duration
}

func newBench(config Config) (*bench, error) {
	config = config.withDefaults()
	w, err := newWorkspace(config.Folder)
	if err != nil {
		return nil, err
	}
	return &bench{workspace: w, config: config}, nil
}

// plan tells how long the measuring will take altogether.
func (b *bench) plan(total time.Duration) { b.planned = total }

// measure takes a figure or its yardstick, and tells meanwhile how far it is.
func (b *bench) measure(ctx context.Context, m measurement, d time.Duration) (load.Outcome, error) {
	told, stop := make(chan struct{}), make(chan struct{})
	began := time.Now()
	go func() {
		defer close(told)
		ticks := time.NewTicker(100 * time.Millisecond)
		defer ticks.Stop()
		for {
			select {
			case <-stop:
				return
			case <-ticks.C:
				b.config.Progress(min(b.measured+min(time.Since(began), d), b.planned), b.planned)
			}
		}
	}()
	outcome, err := m(ctx, d)
	close(stop)
	<-told
	b.measured += d
	b.config.Progress(min(b.measured, b.planned), b.planned)
	return outcome, err
}

// measurement takes a figure or a yardstick, for about so long.
type measurement func(ctx context.Context, d time.Duration) (load.Outcome, error)

// compare measures a yardstick and what is held against it in turns: whatever
// else the machine does, it does to both.
func (b *bench) compare(ctx context.Context, yardstick, figure measurement) (y, f load.Outcome, err error) {
	rounds := roundsOf(b.config.Duration)
	each := b.config.Duration / time.Duration(rounds)
	for range rounds {
		for _, turn := range []struct {
			measure measurement
			sum     *load.Outcome
		}{{yardstick, &y}, {figure, &f}} {
			outcome, err := b.measure(ctx, turn.measure, each)
			if err != nil {
				return y, f, err
			}
			*turn.sum = turn.sum.Then(outcome)
		}
	}
	return y, f, nil
}

// roundsOf is how many turns a duration is cut into: three, unless they would be
// shorter than it takes to warm up.
func roundsOf(d time.Duration) int { return max(1, min(3, int(d/time.Second))) }

// engines says what the bench ran on.
func (b *bench) engines() string {
	broker := "embedded broker"
	if len(b.config.Broker.Brokers) > 0 {
		broker = "Kafka"
	}
	return strings.Join([]string{engineName(b.config.EventStore), engineName(b.config.ReadDB), broker}, ", ")
}

func engineName(setting string) string {
	switch scheme, _, _ := strings.Cut(setting, ":"); scheme {
	case "mongodb", "mongodb+srv":
		return "MongoDB"
	case "mysql":
		return "MySQL"
	}
	return "SQLite"
}
