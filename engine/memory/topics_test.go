package memory_test

import (
	"testing"

	"passbook/engine/memory"
	"passbook/es/bus"
	"passbook/es/bus/bustest"
)

func TestTopics(t *testing.T) {
	t.Parallel()
	bustest.RunTopics(t, func(testing.TB) bus.Topics { return memory.NewTopics() })
}

// TestTopics_Feed: each of its topics is a feed.
func TestTopics_Feed(t *testing.T) {
	t.Parallel()
	bustest.Run(t, bustest.Options{New: func(tb testing.TB) bustest.Bus {
		const partitions = 3
		topics := memory.NewTopics()
		again := func(testing.TB) bus.Feed { return topics.Topic("events", bus.TopicSettings{Partitions: partitions}) }
		return bustest.Bus{
			Partitions: partitions, Feed: again(tb), Again: again,
			Recreate: func(tb testing.TB) {
				tb.Helper()
				topic, err := topics.Find(tb.Context(), "events")
				if err == nil {
					err = topics.Delete(tb.Context(), topic)
				}
				if err == nil {
					_, err = again(tb).Open(tb.Context())
				}
				if err != nil {
					tb.Fatal(err)
				}
			},
		}
	}})
}
