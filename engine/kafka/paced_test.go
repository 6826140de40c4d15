package kafka_test

import (
	"crypto/rand"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"passbook/es/bus"
)

// paced is a consumer for which an hour makes no difference.
type paced struct{ *tally }

func (paced) Pace() time.Duration { return time.Hour }

// TestRun_Paced: a consumer with a pace gets what is there at once, and later what
// comes soon after; one without gets that at once too.
func TestRun_Paced(t *testing.T) {
	t.Parallel()
	t.Run("Embedded", func(t *testing.T) { testPaced(t, startCluster(t).ListenAddrs()) })
	t.Run("Real", func(t *testing.T) { testPaced(t, realBrokers(t)) })
}

func testPaced(t *testing.T, brokers []string) {
	t.Helper()
	b := newBus(t, brokers, partitions(1))
	topic := open(t, b)
	publish(t, b, topic, records(0, 0, 3))
	slow, quick := paced{newTally()}, newTally()
	run(t, b, "slow-of-"+topic.Name, slow)
	run(t, b, "quick-of-"+topic.Name, quick)
	slow.waitFor(t, 0, numbers(3))

	publish(t, b, topic, records(0, 3, 3))
	quick.waitFor(t, 0, numbers(6))
	require.Equal(t, numbers(3), slow.got(0))
}

// TestRun_PacedBehind: who is behind gets one run after the other.
func TestRun_PacedBehind(t *testing.T) {
	t.Parallel()
	t.Run("Embedded", func(t *testing.T) { testPacedBehind(t, startCluster(t).ListenAddrs()) })
	t.Run("Real", func(t *testing.T) { testPacedBehind(t, realBrokers(t)) })
}

func testPacedBehind(t *testing.T, brokers []string) {
	t.Helper()
	b := newBus(t, brokers, partitions(1))
	topic := open(t, b)
	const all = 40
	backlog := records(0, 0, all)
	for i := range backlog { // together more than one answer of a broker holds
		var large strings.Builder
		for large.Len() < 100_000 {
			large.WriteString(rand.Text()) // no compression makes little of it
		}
		backlog[i].Headers = append(backlog[i].Headers, bus.Header{Key: "large", Value: large.String()})
	}
	publish(t, b, topic, backlog)
	consumer := paced{newTally()}
	run(t, b, "of-"+topic.Name, consumer)
	consumer.waitFor(t, 0, numbers(all))
}
