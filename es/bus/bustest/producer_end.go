package bustest

import (
	"context"

	"github.com/stretchr/testify/require"

	"passbook/es/bus"
)

func producerEndCases() []testCase {
	return []testCase{
		{"Publish/EndedContext", []need{feed}, publishEndedContext},
		{"Publish/RefusedInSteadyLoad", []need{feed, refusing}, publishRefusedSteady},
		{"Publish/RefusedInOneCall", []need{feed, refusing}, publishRefusedLarge},
		{"Publish/SuccessorGoesOn", []need{feed, refusing}, publishSuccessor},
		{"Close/Twice", []need{feed}, closeTwice},
		{"Close/EndsTheProducer", []need{feed}, closeEnds},
	}
}

func publishEndedContext(e *env) {
	topic := e.open()
	p := e.producer(topic)
	first, never, later := placed(0, 5, 10), placed(0, 5, 10), placed(0, 5, 10)
	_, err := p.Publish(e.ctx, first)
	require.NoError(e, err)
	ended, cancel := context.WithCancel(e.ctx)
	cancel()
	_, err = p.Publish(ended, never)
	require.Error(e, err)
	_, err = p.Publish(e.ctx, later)
	require.Error(e, err, "after its first error it publishes nothing more")
	p.Close()
	requireUnbroken(e, topic, append(first, never...), 5)
}

func publishRefusedSteady(e *env) {
	topic := e.open()
	var given []bus.Placed
	p := e.producer(topic)
	e.Refuse(e, 0, 5)
	taken := 0
	var err error
	for i := 0; i < 200 && err == nil; i++ {
		var records []bus.Placed
		for partition := range topic.Partitions {
			records = append(records, placed(partition, 3, 50)...)
		}
		given = append(given, records...)
		if _, err = p.Publish(e.ctx, records); err == nil {
			taken += 3
		}
	}
	require.Error(e, err, "a write was refused")
	for range 3 {
		_, err = p.Publish(e.ctx, placed(0, 3, 50))
		require.Error(e, err, "after its first error it publishes nothing more")
	}
	p.Close()
	requireUnbroken(e, topic, given, taken)
}

// publishRefusedLarge has the refusal happen in the middle of one call, where
// the bus stores one in several goes.
func publishRefusedLarge(e *env) {
	topic := e.open()
	p := e.producer(topic)
	e.Refuse(e, 0, 2)
	var given []bus.Placed
	taken := 0
	var err error
	for i := 0; i < 4 && err == nil; i++ {
		var records []bus.Placed
		for range 60 {
			for partition := range min(2, topic.Partitions) {
				records = append(records, placed(partition, 10, 5<<10)...)
			}
		}
		given = append(given, records...)
		if _, err = p.Publish(e.ctx, records); err == nil {
			taken += 600
		}
	}
	require.Error(e, err, "a write was refused")
	p.Close()
	requireUnbroken(e, topic, given, taken)
}

// publishSuccessor goes on from what is found in the topic, as a relay does.
func publishSuccessor(e *env) {
	topic := e.open()
	e.Refuse(e, 0, 3)
	records := placed(0, 50, 50)
	p := e.producer(topic)
	for i := 0; i < len(records); i += 5 {
		if _, err := p.Publish(e.ctx, records[i:i+5]); err != nil {
			break
		}
	}
	p.Close()
	there := len(e.contents(topic)[0])
	require.Less(e, there, len(records), "a write was refused")
	e.publish(topic, records[there:]...)
	requireWhole(e, topic, records)
}

func closeTwice(e *env) {
	topic := e.open()
	p := e.producer(topic)
	_, err := p.Publish(e.ctx, placed(0, 1, 10))
	require.NoError(e, err)
	p.Close()
	p.Close()
}

func closeEnds(e *env) {
	topic := e.open()
	p := e.producer(topic)
	p.Close()
	_, err := p.Publish(e.ctx, placed(0, 1, 10))
	require.Error(e, err)
	require.Empty(e, e.contents(topic)[0])
}

// requireUnbroken has each partition of the topic hold the first ones of what
// was given for it, in order, each once, and at least so many.
func requireUnbroken(e *env, topic bus.Topic, given []bus.Placed, atLeast int) {
	e.Helper()
	for p, found := range e.contents(topic) {
		want := ids(int32(p), given)
		require.LessOrEqual(e, len(found), len(want), "partition %d", p)
		require.GreaterOrEqual(e, len(found), min(atLeast, len(want)), "partition %d lacks what was acknowledged", p)
		if len(found) > 0 {
			require.Equal(e, want[:len(found)], idsOf(found), "partition %d", p)
		}
	}
}
