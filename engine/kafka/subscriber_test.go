package kafka_test

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"passbook/engine/kafka"
	"passbook/es/bus"
)

func publish(tb testing.TB, b *kafka.Bus, topic bus.Topic, records []bus.Placed) {
	tb.Helper()
	p := newProducer(tb, b, topic)
	defer p.Close()
	_, err := p.Publish(within(tb), records)
	require.NoError(tb, err)
}

func quick(c *kafka.Config) {
	c.SessionTimeout, c.HeartbeatInterval = 2*time.Second, 200*time.Millisecond
}

// diary is a consumer that writes down what happens to one partition, in order.
type diary struct {
	*tally
	mu    sync.Mutex
	pages []string
}

func (d *diary) write(page string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.pages = append(d.pages, page)
}

func (d *diary) read() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.pages)
}

func (d *diary) Assign(ctx context.Context, a bus.Assignment) (int64, error) {
	d.write("assign")
	return d.tally.Assign(ctx, a)
}

func (d *diary) Consume(ctx context.Context, r bus.Run) (int64, error) {
	d.write("consume " + string(r.Records[0].Value))
	next, err := d.tally.Consume(ctx, r)
	d.write("consumed")
	return next, err
}

func (d *diary) Revoke(partition int32) {
	d.write("revoke")
	d.tally.Revoke(partition)
}

// TestRun_PausedMember stops a member in the middle of a run for longer than
// the session time-out. Another takes over; when the first goes on it has more
// records at hand, and must not hand them out.
func TestRun_PausedMember(t *testing.T) {
	t.Parallel()
	t.Run("Embedded", func(t *testing.T) { testPausedMember(t, startCluster(t).ListenAddrs(), kafka.Classic, quick) })
	t.Run("Real", func(t *testing.T) { testPausedMember(t, realBrokers(t), kafka.Classic) })
	t.Run("RealConsumer", func(t *testing.T) { testPausedMember(t, realBrokers(t), kafka.Consumer) })
}

func testPausedMember(t *testing.T, brokers []string, protocol kafka.GroupProtocol, change ...func(*kafka.Config)) {
	t.Helper()
	change = append(change, func(c *kafka.Config) { c.GroupProtocol = protocol })
	n := newNetwork()
	paused := newBus(t, brokers, append(change, partitions(1), func(c *kafka.Config) {
		c.Options, c.RunMax = []kgo.Opt{n.dialer()}, 1
	})...)
	topic := open(t, paused)
	group := "group-of-" + topic.Name
	if protocol == kafka.Consumer {
		missSoon(t, brokers, group)
	}
	publish(t, paused, topic, records(0, 0, 10))

	first := &diary{tally: newTally()}
	inside, release := make(chan struct{}), make(chan struct{})
	first.before = func(_ context.Context, r bus.Run) error {
		if string(r.Records[0].Value) == "3" {
			close(inside)
			<-release // heeds no context, as a paused process
		}
		return nil
	}
	run(t, paused, group, first)
	<-inside
	thaw := n.freeze()
	defer thaw()

	second := newTally()
	run(t, newBus(t, brokers, append(change, func(c *kafka.Config) { c.Topic = topic.Name })...), group, second)
	require.Eventually(t, func() bool { return len(second.got(0)) > 0 }, 3*time.Minute, 5*time.Millisecond, "it takes over")
	second.waitFor(t, 0, numbers(10))
	close(release)
	thaw()
	eventually(t, func() bool { return slices.Contains(first.read(), "revoke") }, "the first is to learn that it is over")

	until := slices.Index(first.read(), "revoke")
	require.Equal(t, []string{
		"assign", "consume 0", "consumed", "consume 1", "consumed", "consume 2", "consumed", "consume 3", "consumed",
	}, first.read()[:until], "nothing is handed out between the pause and Revoke")
}

// TestRun_CoordinatorLost has heartbeats fail for longer than the session, with
// the partitions' broker well.
func TestRun_CoordinatorLost(t *testing.T) {
	c := startCluster(t)
	b := newBus(t, c.ListenAddrs(), partitions(1), quick)
	topic := open(t, b)
	consumer := newTally()
	run(t, b, "g", consumer)
	publish(t, b, topic, records(0, 0, 5))
	consumer.waitFor(t, 0, numbers(5))

	group := []kmsg.Key{kmsg.FindCoordinator, kmsg.Heartbeat, kmsg.JoinGroup, kmsg.SyncGroup, kmsg.OffsetFetch, kmsg.OffsetCommit}
	faults := c.Fault(kfake.Fault{Keys: group, Group: "g", Err: kerr.CoordinatorNotAvailable, Count: -1},
		kfake.Fault{Keys: group, TopLevel: true, Err: kerr.CoordinatorNotAvailable, Count: -1})
	require.NoError(t, faults.Wait(within(t), 20))
	publish(t, b, topic, records(0, 5, 5))
	eventually(t, func() bool { return consumer.holds() == 0 }, "the partition is to be given up")
	faults.Remove()
	consumer.waitFor(t, 0, numbers(10))
}

func TestRun_LeaderMoves(t *testing.T) {
	c := startCluster(t, kfake.NumBrokers(3))
	b := newBus(t, c.ListenAddrs(), partitions(3))
	topic := open(t, b)
	consumer := newTally()
	run(t, b, "g", consumer)
	p := newProducer(t, b, topic)
	for i := range 30 {
		if i%5 == 0 {
			for partition := range topic.Partitions {
				require.NoError(t, c.MoveTopicPartition(topic.Name, partition, (partition+int32(i))%3))
			}
		}
		_, err := p.Publish(within(t), append(records(0, i, 1), records(2, i, 1)...))
		require.NoError(t, err)
	}
	consumer.waitFor(t, 0, numbers(30))
	consumer.waitFor(t, 2, numbers(30))
	require.Equal(t, numbers(30), values(t, b, topic, 0))
}

func TestRun_BoundedRuns(t *testing.T) {
	c := startCluster(t)
	b := newBus(t, c.ListenAddrs(), partitions(1), func(c *kafka.Config) { c.RunMax = 7 })
	topic := open(t, b)
	publish(t, b, topic, records(0, 0, 100))
	consumer := newTally()
	run(t, b, "g", consumer)
	consumer.waitFor(t, 0, numbers(100))
	require.Equal(t, 7, consumer.longest)
}

// TestRun_LogsFailures has a consumer fail for a while: a line when that begins,
// one when its reason changes, one when it is over.
func TestRun_LogsFailures(t *testing.T) {
	c := startCluster(t)
	book := &logBook{}
	b := newBus(t, c.ListenAddrs(), partitions(1), func(c *kafka.Config) { c.Logger = book.logger() })
	publish(t, b, open(t, b), records(0, 0, 5))
	consumer := newTally()
	calls := 0
	consumer.before = func(context.Context, bus.Run) error {
		switch calls++; {
		case calls <= 2:
			return errors.New("the read DB is away")
		case calls <= 4:
			return errors.New("the read DB is full")
		default:
			return nil
		}
	}
	run(t, b, "g", consumer)
	consumer.waitFor(t, 0, numbers(5))
	eventually(t, func() bool { return book.count("consumer goes on") > 0 }, "its end is to be told")
	require.Equal(t, 1, book.count("consumer goes on"))
	require.Equal(t, 1, book.count("read DB is away"))
	require.Equal(t, 1, book.count("read DB is full"))
}

// TestRun_TellsTheLag has the group's offsets follow, while it runs and when it
// leaves, and nobody ever begin there.
func TestRun_TellsTheLag(t *testing.T) {
	t.Run("Embedded", func(t *testing.T) { testLag(t, startCluster(t).ListenAddrs()) })
	t.Run("Embedded30", func(t *testing.T) { testLag(t, startCluster(t, kfake.MaxVersions(v30())).ListenAddrs()) })
	t.Run("Real", func(t *testing.T) { testLag(t, realBrokers(t)) })
}

func testLag(t *testing.T, brokers []string) {
	t.Helper()
	b := newBus(t, brokers)
	topic := open(t, b)
	group := "group-of-" + topic.Name
	admin := newAdmin(t, brokers)
	committed := func() int64 {
		offsets, err := admin.FetchOffsets(t.Context(), group)
		if err != nil {
			return -1
		}
		of, _ := offsets.Lookup(topic.Name, 1)
		return of.At
	}
	publish(t, b, topic, records(1, 0, 30))
	consumer := newTally()
	stop := run(t, b, group, consumer)
	consumer.waitFor(t, 1, numbers(30))
	eventually(t, func() bool { return committed() == 30 }, "it is told while it runs")
	publish(t, b, topic, records(1, 30, 5))
	consumer.waitFor(t, 1, numbers(35))
	stop()
	require.Equal(t, int64(35), committed(), "and when it leaves")
}

// TestRun_StaticMember stays in the group when it leaves, and is back in its
// place at once.
func TestRun_StaticMember(t *testing.T) {
	c := startCluster(t)
	static := newBus(t, c.ListenAddrs(), func(c *kafka.Config) { c.InstanceID, c.SessionTimeout = "one", time.Minute })
	topic := open(t, static)
	publish(t, static, topic, records(0, 0, 5))
	for range 3 {
		consumer := newTally()
		stop := run(t, static, "g", consumer)
		consumer.waitFor(t, 0, numbers(5))
		stop()
		info := c.GroupInfo("g")
		require.Len(t, info.Members, 1, "the group waits for it")
	}
	dynamic := newBus(t, c.ListenAddrs(), func(c *kafka.Config) { c.Topic = topic.Name })
	consumer := newTally()
	stop := run(t, dynamic, "another", consumer)
	consumer.waitFor(t, 0, numbers(5))
	stop()
	require.Empty(t, c.GroupInfo("another").Members, "one that is not static leaves")
}

// TestRun_LogDiverged has a broker tell that the log ended before the offset,
// which the embedded one cannot find out.
func TestRun_LogDiverged(t *testing.T) {
	c := startCluster(t)
	b := newBus(t, c.ListenAddrs(), partitions(1))
	topic := open(t, b)
	publish(t, b, topic, records(0, 0, 5))
	consumer := newTally()
	run(t, b, "g", consumer)
	consumer.waitFor(t, 0, numbers(5))

	var epoch atomic.Int32
	c.ControlKey(int16(kmsg.Fetch), func(kreq kmsg.Request) (kmsg.Response, error, bool) {
		req := kreq.(*kmsg.FetchRequest)
		asked := req.Topics[0].Partitions[0]
		epoch.Store(asked.LastFetchedEpoch)
		resp := req.ResponseKind().(*kmsg.FetchResponse)
		of := kmsg.NewFetchResponseTopic()
		of.TopicID = req.Topics[0].TopicID
		told := kmsg.NewFetchResponseTopicPartition()
		told.Partition, told.HighWatermark = asked.Partition, 5
		told.DivergingEpoch.Epoch, told.DivergingEpoch.EndOffset = asked.LastFetchedEpoch, 3
		of.Partitions = append(of.Partitions, told)
		resp.Topics = append(resp.Topics, of)
		return resp, nil, true
	})
	eventually(t, func() bool { return len(consumer.assigned(0)) >= 2 }, "the consumer is to be asked again")
	require.GreaterOrEqual(t, epoch.Load(), int32(0), "brokers can tell only from the epoch of what was read last")
	publish(t, b, topic, records(0, 5, 5))
	consumer.waitFor(t, 0, numbers(10))
}

// TestRun_LeavesNothingBehind starts and ends it at all kinds of moments.
func TestRun_LeavesNothingBehind(t *testing.T) {
	c := startCluster(t)
	b := newBus(t, c.ListenAddrs())
	publish(t, b, open(t, b), records(0, 0, 100))
	missing := newBus(t, c.ListenAddrs())
	nobody := newBus(t, []string{"127.0.0.1:1"})
	before := ours()
	for i := range 25 {
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i)*3*time.Millisecond)
		var members sync.WaitGroup
		for _, of := range []*kafka.Bus{b, b, missing, nobody} {
			members.Go(func() {
				if err := of.Run(ctx, "g", newTally()); err != nil {
					t.Error(err)
				}
			})
		}
		members.Wait()
		cancel()
	}
	eventually(t, func() bool { return ours() <= before }, "no goroutine is to be left")
}

// ours counts the goroutines of this package and of its client.
func ours() int {
	stacks := make([]byte, 16<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	n := 0
	for stack := range strings.SplitSeq(string(stacks), "\n\n") {
		if strings.Contains(stack, "engine/kafka.") || strings.Contains(stack, "franz-go/pkg/kgo.") {
			n++
		}
	}
	return n
}
