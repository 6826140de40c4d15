package testenv

import (
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"passbook/es/bus"
	"passbook/es/event"
)

// Topic is the feed's topic where nothing else is set.
const Topic = "account-events"

// ReadFeed reads everything that is in the feed at the moment with a Kafka
// client that knows nothing of passbook, partition by partition.
func ReadFeed(t testing.TB, broker string) []*kgo.Record {
	t.Helper()
	return ReadTopic(t, broker, Topic)
}

// ReadTopic reads a feed that has another topic.
func ReadTopic(t testing.TB, broker, topic string) []*kgo.Record {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(broker), kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	require.NoError(t, err)
	defer client.Close()
	ends, err := kadm.NewClient(client).ListEndOffsets(t.Context(), topic)
	require.NoError(t, err)
	require.NoError(t, ends.Error())
	var missing int64
	ends.Each(func(o kadm.ListedOffset) { missing += o.Offset })

	var records []*kgo.Record
	for missing > 0 {
		fetches := client.PollFetches(t.Context())
		require.Empty(t, fetches.Errors())
		fetches.EachRecord(func(r *kgo.Record) {
			records = append(records, r)
			missing--
		})
	}
	return records
}

// Decode returns the event in a record.
func Decode(t testing.TB, r *kgo.Record) event.Envelope {
	t.Helper()
	m := bus.Message{Key: string(r.Key), Value: r.Value, Time: r.Timestamp}
	for _, h := range r.Headers {
		m.Headers = append(m.Headers, bus.Header{Key: h.Key, Value: string(h.Value)})
	}
	_, e, err := bus.Decode(m)
	require.NoError(t, err)
	return e
}

// RequireFeed wants the feed to hold so many events, positions 1 to n, each
// stream's versions from 0 on in order by first occurrence, and repeats, if
// any, of the same event. It returns how many repeats there are.
func RequireFeed(t testing.TB, broker string, events int64) (repeats int) {
	t.Helper()
	next, positions := make(map[string]int64), make(map[int64]string)
	for _, r := range ReadFeed(t, broker) {
		e := Decode(t, r)
		if seen, again := positions[e.Position]; again {
			require.Equal(t, seen, e.ID, "another event at position %d", e.Position)
			repeats++
			continue
		}
		positions[e.Position] = e.ID
		require.Equal(t, next[e.Stream], e.Version, "stream %s", e.Stream)
		next[e.Stream]++
	}
	require.Len(t, positions, int(events), "events in the feed")
	for position := int64(1); position <= events; position++ {
		if _, there := positions[position]; !there { // not by require.Contains, which copies the map each time
			t.Fatalf("position %d is missing in the feed", position)
		}
	}
	return repeats
}
