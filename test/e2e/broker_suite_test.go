package e2e_test

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"passbook/engine/broker"
	"passbook/engine/kafka"
	"passbook/es/bus"
	"passbook/es/bus/bustest"
)

// startBroker runs an embedded broker as passbook serve does, on a folder.
func startBroker(tb testing.TB) (addr string) {
	tb.Helper()
	server, err := broker.New(broker.Config{Addr: "127.0.0.1:0", Dir: tb.TempDir(), Logger: slog.New(slog.DiscardHandler)})
	require.NoError(tb, err)
	ctx, stop := context.WithCancel(context.WithoutCancel(tb.Context()))
	ended := make(chan error, 1)
	go func() { ended <- server.Run(ctx) }()
	tb.Cleanup(func() {
		stop()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			require.NoError(tb, err)
		}
	})
	return server.Addr()
}

func busOver(tb testing.TB, addr, topic string) *kafka.Bus {
	tb.Helper()
	b, err := kafka.New(kafka.Config{
		Brokers: []string{addr}, Topic: topic, Partitions: 3, RunMax: 100, Logger: slog.New(slog.DiscardHandler),
	})
	require.NoError(tb, err)
	tb.Cleanup(b.Close)
	return b
}

// TestBrokerSuite: the embedded broker is a bus as Kafka is.
func TestBrokerSuite(t *testing.T) {
	t.Parallel()
	bustest.Run(t, bustest.Options{Patience: time.Minute, New: func(tb testing.TB) bustest.Bus {
		addr, topic := startBroker(tb), "suite-"+rand.Text()
		client, err := kgo.NewClient(kgo.SeedBrokers(addr))
		require.NoError(tb, err)
		tb.Cleanup(client.Close)
		admin := kadm.NewClient(client)
		b := busOver(tb, addr, topic)
		return bustest.Bus{
			Partitions: 3, Feed: b, Subscriber: b, Groups: true, TopicMayMiss: true,
			Again: func(tb testing.TB) bus.Feed { return busOver(tb, addr, topic) },
			Trim: func(tb testing.TB, partition int32, before int64) {
				var offsets kadm.Offsets
				offsets.AddOffset(topic, partition, before, -1)
				_, err := admin.DeleteRecords(tb.Context(), offsets)
				require.NoError(tb, err)
			},
		}
	}})
}

func TestBrokerSuite_Topics(t *testing.T) {
	t.Parallel()
	bustest.RunTopics(t, func(tb testing.TB) bus.Topics { return busOver(tb, startBroker(tb), "suite-"+rand.Text()) })
}
