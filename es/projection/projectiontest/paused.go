package projectiontest

import (
	"sync"

	"github.com/stretchr/testify/require"

	"passbook/es/bus"
)

// PausedConsumer has two members of one group act on one partition. The first
// is paused within a batch, the bus gives its partition to the second, which
// goes on, and then the first wakes and does what it was about to do. Rows and
// checkpoint must come out as if there had been one.
func PausedConsumer[Tx any](t T, db Database[Tx]) {
	pauses := []struct {
		stream string
		set    func(h *Hooked[Tx], hook func() error)
	}{
		{"before", func(h *Hooked[Tx], hook func() error) { h.Before = hook }},
		{"inside", func(h *Hooked[Tx], hook func() error) { h.Inside = hook }},
		{"after", func(h *Hooked[Tx], hook func() error) { h.After = hook }},
	}
	for i, pause := range pauses {
		topic := NewTopic("topic", int32(len(pauses)), NewHistory("history"))
		pausedIn(t, db, topic, int32(i), pause.stream, pause.set)
	}
}

func pausedIn[Tx any](
	t T, db Database[Tx], topic *Topic, partition int32, stream string, set func(h *Hooked[Tx], hook func() error),
) {
	h := topic.History
	topic.Publish(partition, h.Events(stream, 0, 9)...)
	first, second := NewMember(t, db), NewMember(t, db)
	require.NoError(t, first.Join(t, topic, partition))
	first.Step(t, topic, partition)
	first.requireAt(t, topic, partition, 3, h.Event(stream, 2))
	require.NoError(t, second.Join(t, topic, partition))

	asleep, wake := make(chan struct{}), make(chan struct{})
	set(first.Store, func() error {
		close(asleep)
		<-wake
		return nil
	})
	stale := topic.Run(partition, first.next[partition], runMax)
	woken := make(chan error, 1)
	go func() { woken <- first.Take(t, stale) }()
	<-asleep
	if stream == "inside" {
		// The first holds the lock. It wakes when the second comes to wait for it.
		second.Store.Before = sync.OnceValue(func() error {
			close(wake)
			return nil
		})
		second.Finish(t, topic, partition)
	} else {
		second.Finish(t, topic, partition)
		close(wake)
	}
	require.NoError(t, <-woken)
	set(first.Store, nil)
	first.requireRow(t, db, stream, h.Events(stream, 0, 9))
	first.requireAt(t, topic, partition, 10, h.Event(stream, 9))
	contend(t, db, topic, partition, stream, first, second, stale)
	first.requireOnlyParked(t)
}

// contend has both members believe that the partition is theirs, for a while.
func contend[Tx any](
	t T, db Database[Tx], topic *Topic, partition int32, stream string, first, second *Member[Tx], stale bus.Run,
) {
	h := topic.History
	for v := int64(10); v < 30; v += 4 {
		topic.Publish(partition, h.Events(stream, v, v+3)...)
		first.Step(t, topic, partition)
		first.Finish(t, topic, partition)
		require.NoError(t, second.Take(t, stale))
		second.Finish(t, topic, partition)
	}
	first.requireRow(t, db, stream, h.Events(stream, 0, 29))
	first.requireAt(t, topic, partition, 30, h.Event(stream, 29))
	require.Positive(t, first.Status().Counts.Fenced+second.Status().Counts.Fenced)
	require.Zero(t, first.Status().Counts.Rewinds+second.Status().Counts.Rewinds, "nothing is read again from the beginning")
}
