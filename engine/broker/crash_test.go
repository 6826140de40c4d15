package broker_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"
)

// A killed broker has every acknowledged record, the same topic id and the committed offsets when it starts again.
func TestCrash_Kill(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	id, next := "", int64(0)
	for round := range int64(4) {
		c := startChild(t, dir, "")
		cl := dial(t, c.addr, kgo.DisableIdempotentWrite(), kgo.RecordRetries(0), kgo.MaxProduceRequestsInflightPerBroker(1))
		if round == 0 {
			createTopic(t, cl, "events", 2, map[string]string{"segment.bytes": "4096"})
			id = topicID(t, cl, "events")
			fill(t, cl, "events", 1, 0, 100)
		} else {
			require.Equal(t, round, committed(t, cl, "readers", "events", 0))
		}
		commit(t, cl, "readers", "events", 0, round+1)

		acknowledged := produceUntilError(cl, next, next+200, c.kill)
		cl.Close()

		s := start(t, dir, "")
		require.Equal(t, id, topicID(t, dial(t, s.Addr()), "events"))
		next = requireSequence(t, s.Addr(), "events", 0)
		require.GreaterOrEqual(t, next, acknowledged)
		require.EqualValues(t, 100, requireSequence(t, s.Addr(), "events", 1))
		s.stop()
	}
}

// produceUntilError writes record after record to partition 0, calls enough when it is at the record of that number, and
// goes on until a write fails. It returns the number of the first record that was not acknowledged.
func produceUntilError(cl *kgo.Client, from, at int64, enough func()) int64 {
	reached, failed := make(chan struct{}), make(chan int64)
	go func() {
		for n := from; ; n++ {
			if n == at {
				close(reached)
			}
			record := &kgo.Record{Topic: "events", Value: []byte(value(0, n))}
			if cl.ProduceSync(context.Background(), record).FirstErr() != nil {
				failed <- n
				return
			}
		}
	}()
	select {
	case <-reached:
		enough()
		return <-failed
	case n := <-failed:
		enough()
		return n
	}
}
