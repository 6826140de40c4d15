package bustest

import (
	"context"
	"crypto/rand"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"passbook/es/bus"
)

// RunTopics runs the rules of bus.Topics as subtests. What it creates has names
// of its own and is deleted.
func RunTopics(t *testing.T, open func(tb testing.TB) bus.Topics) {
	t.Helper()
	for _, c := range []struct {
		name string
		run  func(e *topicsEnv)
	}{
		{"Find", findTopic},
		{"List", listTopics},
		{"Delete", deleteTopic},
		{"DeleteFormer", deleteFormerTopic},
		{"Compacted", compactedTopic},
		{"OtherSettings", otherSettings},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), 2*defaultPatience)
			t.Cleanup(cancel)
			c.run(&topicsEnv{TB: t, Topics: open(t), ctx: ctx, prefix: "topics-" + rand.Text()})
		})
	}
}

// topicsEnv is what a case about topics works with.
type topicsEnv struct {
	testing.TB
	bus.Topics
	ctx    context.Context //nolint:containedctx // a case has one, with its deadline
	prefix string
}

// open creates a topic.
func (e *topicsEnv) open(name string, settings bus.TopicSettings) (bus.Feed, bus.Topic) {
	e.Helper()
	f := e.Topic(name, settings)
	topic, err := f.Open(e.ctx)
	require.NoError(e, err)
	e.Cleanup(func() { require.NoError(e, e.Delete(context.WithoutCancel(e.ctx), topic)) })
	return f, topic
}

// gone waits until a topic cannot be found.
func (e *topicsEnv) gone(name string) {
	e.Helper()
	require.Eventually(e, func() bool {
		_, err := e.Find(e.ctx, name)
		return err != nil
	}, defaultPatience, pollInterval)
	_, err := e.Find(e.ctx, name)
	require.ErrorIs(e, err, bus.ErrNoTopic)
}

func findTopic(e *topicsEnv) {
	_, err := e.Find(e.ctx, e.prefix)
	require.ErrorIs(e, err, bus.ErrNoTopic)
	f, topic := e.open(e.prefix, bus.TopicSettings{Partitions: 3})
	require.Equal(e, e.prefix, topic.Name)
	require.EqualValues(e, 3, topic.Partitions)
	found, err := e.Find(e.ctx, e.prefix)
	require.NoError(e, err)
	require.Equal(e, topic, found)
	bounds, err := f.Bounds(e.ctx, found)
	require.NoError(e, err)
	require.Len(e, bounds, 3)
}

func listTopics(e *topicsEnv) {
	_, b := e.open(e.prefix+"-b", bus.TopicSettings{})
	_, a := e.open(e.prefix+"-a", bus.TopicSettings{Partitions: 2})
	e.open("other-"+e.prefix, bus.TopicSettings{})
	require.Eventually(e, func() bool {
		found, err := e.List(e.ctx, e.prefix)
		require.NoError(e, err)
		return slices.Equal(found, []bus.Topic{a, b})
	}, defaultPatience, pollInterval)
}

func deleteTopic(e *topicsEnv) {
	f, topic := e.open(e.prefix, bus.TopicSettings{})
	require.NoError(e, e.Delete(e.ctx, topic))
	e.gone(e.prefix)
	require.NoError(e, e.Delete(e.ctx, topic), "it is gone already")
	_, err := f.Bounds(e.ctx, topic)
	require.ErrorIs(e, err, bus.ErrTopicChanged)
}

func deleteFormerTopic(e *topicsEnv) {
	f, former := e.open(e.prefix, bus.TopicSettings{})
	require.NoError(e, e.Delete(e.ctx, former))
	e.gone(e.prefix)
	topic, err := f.Open(e.ctx)
	require.NoError(e, err)
	require.NotEqual(e, former.ID, topic.ID)
	require.NoError(e, e.Delete(e.ctx, former))
	found, err := e.Find(e.ctx, e.prefix)
	require.NoError(e, err, "the one that was made since is left alone")
	require.Equal(e, topic, found)
	require.NoError(e, e.Delete(e.ctx, topic))
}

func compactedTopic(e *topicsEnv) {
	f, topic := e.open(e.prefix, bus.TopicSettings{Compacted: true})
	require.EqualValues(e, 1, topic.Partitions)
	p, err := f.Producer(e.ctx, topic)
	require.NoError(e, err)
	defer p.Close()
	at := time.Now()
	offsets, err := p.Publish(e.ctx, []bus.Placed{
		{Message: bus.Message{Key: "a", Value: []byte("1"), Time: at}},
		{Message: bus.Message{Key: "a", Value: nil, Time: at}},
		{Message: bus.Message{Key: "b", Value: []byte("2"), Time: at}},
	})
	require.NoError(e, err)
	last := make(map[string]string)
	for r, err := range f.Read(e.ctx, topic, 0, 0, offsets[2]+1) {
		require.NoError(e, err)
		last[r.Key] = string(r.Value)
	}
	require.Equal(e, "2", last["b"])
	require.Empty(e, last["a"])
	again, err := e.Topic(e.prefix, bus.TopicSettings{Compacted: true}).Open(e.ctx)
	require.NoError(e, err)
	require.Equal(e, topic, again)
}

func otherSettings(e *topicsEnv) {
	_, topic := e.open(e.prefix, bus.TopicSettings{Partitions: 2})
	again, err := e.Topic(e.prefix, bus.TopicSettings{Partitions: 5}).Open(e.ctx)
	require.NoError(e, err)
	require.Equal(e, topic, again, "one that exists keeps its partitions")
}
