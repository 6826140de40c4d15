package kafka_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"passbook/es/bus"
	"passbook/es/event"
)

// BenchmarkPublish publishes as a relay does, some thousand events a call, and
// beside it what the client does when it is left to itself, idempotent and with
// all acknowledgements: it is the yardstick. Set PASSBOOK_TEST_KAFKA to measure
// against real brokers.
func BenchmarkPublish(b *testing.B) {
	over := map[string]func(*testing.B) []string{
		"Embedded": func(b *testing.B) []string { return startCluster(b).ListenAddrs() },
		"Real":     func(b *testing.B) []string { return realBrokers(b) },
	}
	for name, brokers := range over {
		for _, size := range []int{100, 1000, 5000} {
			b.Run(name+"/Bus/"+strconv.Itoa(size), func(b *testing.B) { benchmarkBus(b, brokers(b), size) })
			b.Run(name+"/BareWaiting/"+strconv.Itoa(size), func(b *testing.B) { benchmarkBare(b, brokers(b), size) })
		}
		b.Run(name+"/BareStreaming", func(b *testing.B) { benchmarkBare(b, brokers(b), 0) })
	}
}

func history(n int, partitions int32) []bus.Placed {
	made := make([]bus.Placed, n)
	for i := range made {
		stream := "acc-" + strconv.Itoa(i%997)
		made[i] = bus.Placed{Partition: bus.Partition(stream, partitions), Message: bus.Encode("h", event.Envelope{
			ID: event.NewID(), Stream: stream, Version: int64(i), Position: int64(i + 1),
			Time: time.Unix(1_700_000_000, 0), Type: event.Type{Name: "passbook.account.deposited", Schema: 1},
			Data: []byte(`{"amount":{"amount":"12.50","currency":"EUR"},"balance":{"amount":"` + strconv.Itoa(i) + `.50","currency":"EUR"}}`),
		})}
	}
	return made
}

func benchmarkBus(b *testing.B, brokers []string, size int) {
	bench := newBus(b, brokers, partitions(6))
	topic := open(b, bench)
	p := newProducer(b, bench, topic)
	events := history(size, topic.Partitions)
	_, err := p.Publish(b.Context(), events) // connects
	require.NoError(b, err)
	b.ResetTimer()
	for range b.N {
		_, err := p.Publish(b.Context(), events)
		require.NoError(b, err)
	}
	b.ReportMetric(float64(b.N*size)/b.Elapsed().Seconds(), "events/s")
}

// benchmarkBare waits for each size of events, or with 0 only for the end.
func benchmarkBare(b *testing.B, brokers []string, size int) {
	topic := open(b, newBus(b, brokers, partitions(6)))
	client, err := kgo.NewClient(kgo.SeedBrokers(brokers...), kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.MetadataMinAge(250*time.Millisecond))
	require.NoError(b, err)
	defer client.Close()
	events := history(max(size, 1000), topic.Partitions)
	failed := func(_ *kgo.Record, err error) {
		if err != nil {
			b.Error(err)
		}
	}
	produce := func() {
		for _, e := range events {
			r := &kgo.Record{Topic: topic.Name, Partition: e.Partition, Key: []byte(e.Key), Value: e.Value, Timestamp: e.Time}
			for _, h := range e.Headers {
				r.Headers = append(r.Headers, kgo.RecordHeader{Key: h.Key, Value: []byte(h.Value)})
			}
			client.Produce(b.Context(), r, failed)
		}
	}
	produce()
	require.NoError(b, client.Flush(b.Context())) // connects
	b.ResetTimer()
	for range b.N {
		produce()
		if size > 0 {
			require.NoError(b, client.Flush(b.Context()))
		}
	}
	require.NoError(b, client.Flush(b.Context()))
	b.ReportMetric(float64(b.N*len(events))/b.Elapsed().Seconds(), "events/s")
}
