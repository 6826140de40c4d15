package broker_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"passbook/engine/broker"
)

func TestBroker_Restart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := start(t, dir, "")
	cl := dial(t, s.Addr())
	createTopic(t, cl, "events", 3, nil)
	id := topicID(t, cl, "events")
	require.NotEmpty(t, id)
	for p := range int32(3) {
		fill(t, cl, "events", p, 0, 100*int64(p))
	}
	commit(t, cl, "readers", "events", 2, 42)

	for round := range int64(3) {
		addr := s.Addr()
		s.stop()
		s = start(t, dir, addr)
		require.Equal(t, addr, s.Addr())

		require.Equal(t, id, topicID(t, cl, "events"))
		require.EqualValues(t, 0, requireSequence(t, addr, "events", 0))
		require.EqualValues(t, 100, requireSequence(t, addr, "events", 1))
		require.Equal(t, 200+round, requireSequence(t, addr, "events", 2))
		require.Equal(t, 42+round, committed(t, cl, "readers", "events", 2))

		fill(t, cl, "events", 2, 200+round, 201+round)
		commit(t, cl, "readers", "events", 2, 43+round)
	}
}

func commit(t *testing.T, cl *kgo.Client, group, topic string, partition int32, offset int64) {
	t.Helper()
	var offsets kadm.Offsets
	offsets.AddOffset(topic, partition, offset, -1)
	require.NoError(t, kadm.NewClient(cl).CommitAllOffsets(ctxOf(t), group, offsets))
}

func committed(t *testing.T, cl *kgo.Client, group, topic string, partition int32) int64 {
	t.Helper()
	offsets, err := kadm.NewClient(cl).FetchOffsets(ctxOf(t), group)
	require.NoError(t, err)
	offset, ok := offsets.Lookup(topic, partition)
	require.True(t, ok)
	return offset.At
}

// Records written while the broker stops are there afterwards if they were acknowledged.
func TestBroker_StopUnderLoad(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := start(t, dir, "")
	cl := dial(t, s.Addr(), kgo.DisableIdempotentWrite(), kgo.RecordRetries(0), kgo.MaxProduceRequestsInflightPerBroker(1))
	createTopic(t, cl, "events", 1, nil)

	acknowledged := produceUntilError(cl, 0, 50, s.stop)
	cl.Close()

	require.GreaterOrEqual(t, requireSequence(t, start(t, dir, "").Addr(), "events", 0), acknowledged)
}

func TestBroker_StartStop(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for range 20 {
		b, err := broker.New(broker.Config{Addr: "127.0.0.1:0", Dir: dir})
		require.NoError(t, err)
		idle, err := net.Dial("tcp", b.Addr())
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		require.NoError(t, b.Run(ctx))
		require.ErrorContains(t, b.Run(ctx), "before")
		_, err = net.Dial("tcp", b.Addr())
		require.Error(t, err, "the port is still open after Run")
		require.NoError(t, idle.SetReadDeadline(time.Now().Add(patience)))
		_, err = idle.Read(make([]byte, 1))
		require.Error(t, err)
		require.NotErrorIs(t, err, os.ErrDeadlineExceeded, "a connection is still open after Run")
		require.NoError(t, idle.Close())
	}
}

// A stop that could not save says so.
func TestBroker_NotSaved(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b, err := broker.New(broker.Config{Addr: "127.0.0.1:0", Dir: dir})
	require.NoError(t, err)
	data := filepath.Join(dir, "data")
	require.NoError(t, os.RemoveAll(data))
	require.NoError(t, os.WriteFile(data, nil, 0o600))
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	require.ErrorContains(t, b.Run(ctx), "not everything was saved")
}

func TestNew_Addr(t *testing.T) {
	t.Parallel()
	for _, addr := range []string{":9092", "0.0.0.0:0", "[::]:0", "[::0]:0", "[::ffff:0.0.0.0]:0", "127.0.0.1", "9092", "127.0.0.1:port"} {
		_, err := broker.New(broker.Config{Addr: addr, Dir: t.TempDir()})
		requireConfigError(t, err, "Addr", addr)
	}

	t.Run("in use", func(t *testing.T) {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		defer ln.Close()
		dir := t.TempDir()
		_, err = broker.New(broker.Config{Addr: ln.Addr().String(), Dir: dir})
		requireConfigError(t, err, "Addr", ln.Addr().String())
		start(t, dir, "").stop() // the folder is free again
	})
	t.Run("advertised", func(t *testing.T) {
		for _, addr := range []string{"127.0.0.1:0", "localhost:0", "[::1]:0"} {
			ln, err := net.Listen("tcp", addr)
			if err != nil {
				t.Logf("not tried on this machine: %v", err)
				continue
			}
			require.NoError(t, ln.Close())
			s := start(t, t.TempDir(), addr)
			brokers, err := kadm.NewClient(dial(t, s.Addr())).ListBrokers(ctxOf(t))
			require.NoError(t, err)
			require.Len(t, brokers, 1)
			require.Equal(t, s.Addr(), net.JoinHostPort(brokers[0].Host, itoa(int64(brokers[0].Port))))
		}
	})
}

func TestNew_Dir(t *testing.T) {
	t.Parallel()
	t.Run("missing", func(t *testing.T) {
		_, err := broker.New(broker.Config{Addr: "127.0.0.1:0"})
		requireConfigError(t, err, "Dir", "folder")
	})
	t.Run("held", func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "made", "when needed")
		s := start(t, dir, "")
		_, err := broker.New(broker.Config{Addr: "127.0.0.1:0", Dir: dir})
		requireConfigError(t, err, "Dir", dir)
		s.stop()
		start(t, dir, "")
	})
	t.Run("not a folder", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "file")
		require.NoError(t, os.WriteFile(path, nil, 0o600))
		_, err := broker.New(broker.Config{Addr: "127.0.0.1:0", Dir: path})
		requireConfigError(t, err, "Dir", path)
	})
}

func requireConfigError(t *testing.T, err error, field, mentions string) {
	t.Helper()
	var config *broker.ConfigError
	require.ErrorAs(t, err, &config)
	require.Equal(t, field, config.Field)
	require.Contains(t, err.Error(), mentions)
	require.Contains(t, err.Error(), ";", "what to do is missing: %s", err)
	require.NotContains(t, err.Error(), "\n", "not one line: %s", err)
}

func Example() {
	dir, _ := os.MkdirTemp("", "broker")
	defer os.RemoveAll(dir)

	b, err := broker.New(broker.Config{Addr: "127.0.0.1:0", Dir: dir})
	if err != nil {
		panic(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- b.Run(ctx) }()

	cl, err := kgo.NewClient(kgo.SeedBrokers(b.Addr()))
	if err != nil {
		panic(err)
	}
	topic, err := kadm.NewClient(cl).CreateTopic(ctx, 6, 1, nil, "account-events")
	fmt.Println(topic.Topic, topic.NumPartitions, err)
	cl.Close()

	stop()
	fmt.Println(<-ended)
	// Output:
	// account-events 6 <nil>
	// <nil>
}
