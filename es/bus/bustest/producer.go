package bustest

import (
	"slices"

	"github.com/stretchr/testify/require"

	"passbook/es/bus"
)

func producerCases() []testCase {
	return []testCase{
		{"Publish/Nothing", []need{feed}, publishNothing},
		{"Publish/Places", []need{feed}, publishPlaces},
		{"Publish/ManyCalls", []need{feed}, publishManyCalls},
		{"Publish/Large", []need{feed}, publishLarge},
		{"Publish/DurableWhenItReturns", []need{feed, again}, publishDurable},
		{"Publish/MadeAgainBefore", []need{feed, recreate}, publishMadeAgainBefore},
		{"Publish/MadeAgainBetween", []need{feed, recreate}, publishMadeAgainBetween},
	}
}

func publishNothing(e *env) {
	topic := e.open()
	require.Empty(e, e.publish(topic))
	for _, records := range e.contents(topic) {
		require.Empty(e, records)
	}
}

// publishPlaces has records go where they are sent, wherever their key would
// lie, and to the offset that is told.
func publishPlaces(e *env) {
	topic := e.open()
	var records []bus.Placed
	for p := range topic.Partitions {
		records = append(records, placed(p, 15, 20)...)
	}
	slices.SortStableFunc(records, func(a, b bus.Placed) int { return int(a.Value[0]) - int(b.Value[0]) })
	offsets := e.publish(topic, records...)
	contents := e.contents(topic)
	for i, r := range records {
		at := slices.IndexFunc(contents[r.Partition], func(found bus.Record) bool { return found.Offset == offsets[i] })
		require.GreaterOrEqual(e, at, 0, "nothing lies at the offset that was told")
		require.Equal(e, id(r.Message), id(contents[r.Partition][at].Message))
	}
	requireWhole(e, topic, records)
}

func publishManyCalls(e *env) {
	topic := e.open()
	p := e.producer(topic)
	var all []bus.Placed
	for i := range 30 {
		var records []bus.Placed
		for partition := range topic.Partitions {
			records = append(records, placed(partition, i%7, 50)...)
		}
		_, err := p.Publish(e.ctx, records)
		require.NoError(e, err)
		all = append(all, records...)
	}
	requireWhole(e, topic, all)
}

// publishLarge gives one call more than any bus stores in one go.
func publishLarge(e *env) {
	topic := e.open()
	last := topic.Partitions - 1
	var records []bus.Placed
	for range 12 {
		records = append(records, placed(0, 40, 5<<10)...)
		records = append(records, placed(last, 60, 5<<10)...)
	}
	e.publish(topic, records...)
	requireWhole(e, topic, records)
}

// publishDurable asks another process right after each answer.
func publishDurable(e *env) {
	topic := e.open()
	p, other := e.producer(topic), e.Again(e)
	for range 10 {
		records := placed(0, 20, 100)
		offsets, err := p.Publish(e.ctx, records)
		require.NoError(e, err)
		bounds, err := other.Bounds(e.ctx, topic)
		require.NoError(e, err)
		require.Greater(e, bounds[0].End, offsets[len(offsets)-1], "what was acknowledged is there")
		n := 0
		for r, err := range other.Read(e.ctx, topic, 0, offsets[0], offsets[len(offsets)-1]+1) {
			require.NoError(e, err)
			require.Equal(e, id(records[n].Message), id(r.Message))
			n++
		}
		require.Len(e, records, n)
	}
}

func publishMadeAgainBefore(e *env) {
	topic := e.open()
	p := e.producer(topic)
	e.Recreate(e)
	requireChanged(e, p)
}

func publishMadeAgainBetween(e *env) {
	topic := e.open()
	p := e.producer(topic)
	_, err := p.Publish(e.ctx, placed(0, 5, 10))
	require.NoError(e, err)
	e.Recreate(e)
	requireChanged(e, p)
}

// requireChanged has a producer notice that its topic was made again, before
// it publishes anything.
func requireChanged(e *env, p bus.Producer) {
	e.Helper()
	_, err := p.Publish(e.ctx, placed(0, 5, 10))
	require.ErrorIs(e, err, bus.ErrTopicChanged)
	p.Close()
	for _, records := range e.contents(e.open()) {
		require.Empty(e, records, "nothing of the call got into the new topic")
	}
}

// requireWhole has the topic hold these records and no others, each once, in
// each partition in their order.
func requireWhole(e *env, topic bus.Topic, records []bus.Placed) {
	e.Helper()
	for p, found := range e.contents(topic) {
		require.Equal(e, ids(int32(p), records), idsOf(found), "partition %d", p)
	}
}
