package bustest

import (
	"slices"
	"sync"

	"github.com/stretchr/testify/require"

	"passbook/es/bus"
)

func feedCases() []testCase {
	return []testCase{
		{"Open/SameTopicAgain", []need{feed}, openAgain},
		{"Open/AtOnce", []need{feed, again}, openAtOnce},
		{"Open/MadeAgain", []need{feed, recreate}, openMadeAgain},
		{"Bounds/Empty", []need{feed}, boundsEmpty},
		{"Bounds/Grow", []need{feed}, boundsGrow},
		{"Bounds/FormerTopic", []need{feed, recreate}, boundsFormerTopic},
	}
}

func openAgain(e *env) {
	topic := e.open()
	require.NotEmpty(e, topic.ID)
	require.NotEmpty(e, topic.Name)
	require.Equal(e, topic, e.open())
	e.publish(topic, placed(0, 1, 10)...)
	require.Equal(e, topic, e.open(), "what is in it does not make it another")
}

func openAtOnce(e *env) {
	const many = 8
	var (
		opening sync.WaitGroup
		mu      sync.Mutex
		topics  []bus.Topic
		errs    []error
	)
	for range many {
		f := e.Again(e)
		opening.Go(func() {
			topic, err := f.Open(e.ctx)
			mu.Lock()
			defer mu.Unlock()
			topics, errs = append(topics, topic), append(errs, err)
		})
	}
	opening.Wait()
	for _, err := range errs {
		require.NoError(e, err)
	}
	require.Len(e, slices.Compact(topics), 1, "one topic, whoever was first")
}

func openMadeAgain(e *env) {
	before := e.open()
	e.Recreate(e)
	after := e.open()
	require.Equal(e, before.Name, after.Name)
	require.NotEqual(e, before.ID, after.ID)
}

func boundsEmpty(e *env) {
	for _, b := range e.bounds(e.open()) {
		require.Equal(e, b.First, b.End)
		require.GreaterOrEqual(e, b.First, int64(0))
	}
}

func boundsGrow(e *env) {
	topic := e.open()
	before := e.bounds(topic)
	last := topic.Partitions - 1
	offsets := e.publish(topic, placed(last, 5, 10)...)
	after := e.bounds(topic)
	require.Equal(e, before[last].First, after[last].First)
	require.Equal(e, offsets[4]+1, after[last].End)
	require.Equal(e, before[:last], after[:last], "the other partitions are as they were")
}

func boundsFormerTopic(e *env) {
	topic := e.open()
	e.publish(topic, placed(0, 3, 10)...)
	e.Recreate(e)
	_, err := e.Feed.Bounds(e.ctx, topic)
	require.ErrorIs(e, err, bus.ErrTopicChanged)
}
