package broker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync/atomic"

	"github.com/twmb/franz-go/pkg/kfake"
)

// DefaultAddr is where a broker listens if Config names no address.
const DefaultAddr = "127.0.0.1:9092"

// Size at which a partition begins a new file. Loading holds one file of each partition in memory, so it is smaller than
// kfake's 100 MiB.
const segmentBytes = "16777216"

// Config says where a broker listens and keeps its data.
type Config struct {
	// Addr is HOST:PORT, DefaultAddr if empty. It is also what the broker advertises to clients, so an address that
	// stands for all interfaces is refused. Port 0 takes a free port. There is neither TLS nor authentication: an address that
	// is not loopback is open to everybody who can reach it, and whether that is wanted is the caller's to judge.
	Addr string

	// Dir is made if it is missing. One broker at a time can use it. Required.
	Dir string

	// Logger gets what an operator should know; nothing is logged if it is nil.
	Logger *slog.Logger
}

// Broker is a running Kafka-protocol server. Its methods may be called by several goroutines.
type Broker struct {
	log     *slog.Logger
	addr    *net.TCPAddr // with the port that was taken, if any was to be
	folder  *folder
	ln      *listener
	logs    *serverLog
	cluster *kfake.Cluster
	ran     atomic.Bool
}

// New locks the folder, opens the port, makes the data sound, loads it and serves. When New returns, requests are
// answered; there is nothing more to wait for. It reads all of the data, so that its time grows with it.
//
// A broker that was made must be run, because only Run gives port and folder back, also if its context has already ended.
//
// The error is a *ConfigError if the address is refused or in use, or if the folder is held by another process or cannot be
// written. Data that cannot be loaded is no error: it is moved aside, with one line in the log, and the broker starts empty.
func New(cfg Config) (*Broker, error) {
	b := &Broker{log: cfg.Logger}
	if b.log == nil {
		b.log = slog.New(slog.DiscardHandler)
	}
	b.logs = &serverLog{log: b.log}
	if cfg.Dir == "" {
		return nil, &ConfigError{"Dir", errors.New("no folder is given; name one")}
	}
	if cfg.Addr == "" {
		cfg.Addr = DefaultAddr
	}
	var err error
	if b.addr, err = resolve(cfg.Addr); err != nil {
		return nil, err
	}
	if b.folder, err = openFolder(cfg.Dir, b.log); err != nil {
		return nil, err
	}
	if err := b.start(); err != nil {
		return nil, errors.Join(err, b.folder.close())
	}
	return b, nil
}

// start opens the port before it loads, because a port in use is the likelier error and the quicker to find. Clients that
// connect while it loads wait for their first answer.
func (b *Broker) start() error {
	asked := b.addr
	if err := b.listen(); err != nil {
		return err
	}
	err := b.folder.repair()
	if err == nil {
		err = b.serve()
	}
	if err == nil {
		return nil
	}
	if environmental(err) {
		return errors.Join(folderError(b.folder.dir, err), b.ln.Close())
	}
	if err := b.folder.setAside(err); err != nil {
		return errors.Join(folderError(b.folder.dir, err), b.ln.Close())
	}
	// kfake closes the listener when it fails. Where any port would do, the one
	// that was given may be another's by now; nobody has been told it yet.
	b.addr = asked
	if err := errors.Join(b.ln.Close(), b.listen()); err != nil {
		return err
	}
	if err := b.serve(); err != nil {
		return errors.Join(folderError(b.folder.dir, err), b.ln.Close())
	}
	return nil
}

func (b *Broker) listen() error {
	ln, err := listen(b.addr)
	if err != nil {
		return err
	}
	b.addr = ln.Addr().(*net.TCPAddr) //nolint:forcetypeassert // a TCP listener has no other
	b.ln = newListener(ln, b.log)
	return nil
}

// serve loads the data and answers requests. Retention is off unless a topic asks for it: it counts from a record's
// timestamp, which for an event is when it happened, so that an imported history would be deleted as it is published.
// SyncWrites stays off: the records can be published again, and it costs four fifths of the rate.
func (b *Broker) serve() (err error) {
	b.cluster, err = kfake.NewCluster(
		kfake.NumBrokers(1),
		kfake.ClusterID("embedded"),
		kfake.DataDir(b.folder.data()),
		kfake.WithLogger(b.logs),
		kfake.ListenFn(func(string, string) (net.Listener, error) { return b.ln, nil }),
		kfake.BrokerConfigs(map[string]string{
			"log.retention.ms":    "-1",
			"log.retention.bytes": "-1",
			"log.segment.bytes":   segmentBytes,
		}),
	)
	return err
}

// Run serves until ctx ends, then stops: it takes no more requests, saves all state, closes every connection, flushes the
// files to disk and gives port and folder back. An acknowledged record is there at the next start; a request that was not
// answered may or may not have taken effect.
//
// It returns nil after a clean stop, and otherwise what could not be saved. It can be called once.
func (b *Broker) Run(ctx context.Context) error {
	if b.ran.Swap(true) {
		return errors.New("broker: Run was called before")
	}
	<-ctx.Done()
	err := b.logs.during(b.cluster.Close)
	b.ln.wait()
	if err = errors.Join(err, b.folder.sync(), b.folder.close()); err != nil {
		return fmt.Errorf("broker: not everything was saved: %w", err)
	}
	return nil
}

// Addr is what clients need to connect: HOST:PORT.
func (b *Broker) Addr() string { return b.addr.String() }

// Cluster is for tests, which use it to inject faults: (*kfake.Cluster).Fault fails chosen requests, ControlKey answers or
// holds them, ApplyRetention and Compact do at once what else is done hourly. Never close it; end Run's context instead.
func (b *Broker) Cluster() *kfake.Cluster { return b.cluster }
