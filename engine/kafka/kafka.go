// Package kafka is the bus on the Kafka protocol: the embedded broker, Apache
// Kafka from 3.0, and whatever else speaks it and gives topics ids. Placed
// messages go in by the feed's producer and lie in a topic of their own; runs
// of its records come out to the members of consumer groups.
//
//	kafka.go       Config, Bus
//	security.go    SASL, TLS
//	topic.go       what the brokers say of the topic; has it changed?
//	open.go        create it, or check the one that is there
//	settings.go    the settings under which it keeps everything
//	topics.go      other topics of the same cluster
//	bounds.go      first and end offsets
//	producer.go    publish unbroken runs
//	chunk.go       how much fits in one batch for each partition
//	batch.go       messages -> Kafka record batch
//	send.go        Produce requests, their answers
//	fetch.go       Fetch requests, their answers -> records
//	read.go        read a range of a partition
//	subscriber.go  Run: one session for each life of the topic
//	member.go      membership in the consumer group
//	protocol.go    the two protocols of groups
//	fetcher.go     the fetch requests of one member
//	worker.go      one assigned partition: Assign, Consume, again
//	progress.go    offsets shown to tools
//	link.go        brokers lost and back
//	pause.go       growing pauses
package kafka

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"passbook/es/bus"
)

// Bus is one topic on a Kafka cluster. It is safe for concurrent use.
//
// Records keep their time in whole milliseconds, up to the year 2261. A key, a header's value or a
// value that is null comes back empty.
type Bus struct {
	config Config
	admin  *kgo.Client
	link   *link
	closed chan struct{}
	end    func() // closes closed

	compressor kgo.Compressor
	compacted  bool // what Open wants of the topic
}

var (
	_ bus.Feed       = (*Bus)(nil)
	_ bus.Subscriber = (*Bus)(nil)
)

// Config says which topic of which cluster. Brokers and Topic are required.
type Config struct {
	// Brokers are addresses, host:port, of some of the cluster's brokers.
	Brokers []string
	Topic   string
	// Partitions is how many a topic gets that Open creates; 0 stands for 6.
	// One that exists keeps its own.
	Partitions int32
	// Replicas is how many copies a topic gets that Open creates; 0 stands
	// for as many as there are brokers then, up to 3.
	Replicas int16

	// ClientID is the name under which brokers log and meter this program;
	// empty stands for passbook.
	ClientID string
	// InstanceID, when set, makes the members that Run brings into a group
	// static: restarted under it, one has its partitions back at once, and
	// nobody else gets them before SessionTimeout. It is unique in each group.
	InstanceID string
	// SessionTimeout is how long a group waits for a member that is silent
	// before it gives its partitions to others; 0 stands for 6 s, which is also
	// the least that brokers allow by default.
	SessionTimeout time.Duration
	// HeartbeatInterval is how often a member tells that it is there, less than
	// a third of SessionTimeout; 0 stands for 1 s.
	HeartbeatInterval time.Duration
	// GroupProtocol is how groups divide partitions; empty stands for Classic.
	GroupProtocol GroupProtocol
	// RunMax bounds the records of one call of Consume; 0 stands for 1000.
	RunMax int

	// SASL is how we tell brokers who we are; the zero value is not to.
	SASL SASL
	// TLS, when set, encrypts all connections; see LoadTLS. Where it names no
	// server, each broker has to prove the host under which it is dialed. It
	// must not be changed afterwards.
	TLS *tls.Config

	// Options are added to those of every client, for what has no field here.
	// A dialer among them excludes TLS.
	Options []kgo.Opt
	// Logger gets a line when a broker is lost and one when it is back, and
	// what a subscriber has to try again; nil stands for slog.Default.
	Logger *slog.Logger
}

// New returns the bus of a topic. It does not call any broker yet. The error
// names every fault of config, a line each, without the password. A password that would
// leave this machine unencrypted is worth a line in the log.
func New(config Config) (*Bus, error) {
	b, err := newBus(config)
	if err == nil {
		b.config.warnOfPlainPassword()
	}
	return b, err
}

func newBus(config Config) (*Bus, error) {
	config = config.withDefaults()
	if err := config.validate(); err != nil {
		return nil, err
	}
	b := &Bus{config: config, link: newLink(config.Logger, config.SASL.Mechanism != ""), closed: make(chan struct{})}
	b.end = sync.OnceFunc(func() { close(b.closed) })
	var err error
	if b.compressor, err = kgo.DefaultCompressor(kgo.SnappyCompression()); err != nil {
		return nil, fmt.Errorf("kafka: %w", err)
	}
	if b.admin, err = b.client(); err != nil {
		return nil, err
	}
	return b, nil
}

// Close ends the connections of Open, Bounds and Read. Producers are closed,
// and Run is ended, by those who started them.
func (b *Bus) Close() {
	b.end()
	b.admin.Close()
}

func (c Config) withDefaults() Config {
	if c.Partitions == 0 {
		c.Partitions = 6
	}
	if c.ClientID == "" {
		c.ClientID = "passbook"
	}
	if c.SessionTimeout == 0 {
		c.SessionTimeout = 6 * time.Second
	}
	if c.HeartbeatInterval == 0 {
		c.HeartbeatInterval = time.Second
	}
	if c.GroupProtocol == "" {
		c.GroupProtocol = Classic
	}
	if c.RunMax == 0 {
		c.RunMax = 1000
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	return c
}

func (c Config) validate() error {
	var faults []error
	fault := func(format string, a ...any) { faults = append(faults, fmt.Errorf("kafka: "+format, a...)) }
	if len(c.Brokers) == 0 {
		fault("Brokers is empty: name at least one, as host:port")
	}
	if c.Topic == "" {
		fault("Topic is empty")
	}
	if c.Partitions < 0 {
		fault("Partitions is %d: want at least 1", c.Partitions)
	}
	if c.Replicas < 0 {
		fault("Replicas is %d: want at least 1, or 0 for as many as the brokers allow", c.Replicas)
	}
	if c.RunMax < 0 {
		fault("RunMax is %d: want at least 1", c.RunMax)
	}
	if c.HeartbeatInterval <= 0 || c.SessionTimeout < 3*c.HeartbeatInterval {
		fault("SessionTimeout is %s: want at least three of HeartbeatInterval, which is %s", c.SessionTimeout, c.HeartbeatInterval)
	}
	if c.GroupProtocol != Classic && c.GroupProtocol != Consumer {
		fault("GroupProtocol is %q: want %s or %s", c.GroupProtocol, Classic, Consumer)
	}
	for _, text := range c.SASL.faults() {
		fault("%s", text)
	}
	return errors.Join(faults...)
}

// client returns a new client with what all of them have in common.
func (b *Bus) client(options ...kgo.Opt) (*kgo.Client, error) {
	common := []kgo.Opt{
		kgo.SeedBrokers(b.config.Brokers...),
		kgo.ClientID(b.config.ClientID),
		kgo.WithHooks(b.link),
		kgo.DisableClientMetrics(),
		kgo.DialTimeout(5 * time.Second),
		kgo.RetryBackoffFn(func(tries int) time.Duration { return pauseAfter(tries, 50*time.Millisecond, time.Second) }),
		// Both bound how fast a moved leader, or a topic that was just
		// created, is found.
		kgo.MetadataMinAge(250 * time.Millisecond),
		kgo.MetadataMaxAge(time.Minute),
	}
	client, err := kgo.NewClient(slices.Concat(common, b.config.security(), options, b.config.Options)...)
	if err != nil {
		return nil, fmt.Errorf("kafka: client of %v: %w", b.config.Brokers, err)
	}
	return client, nil
}
