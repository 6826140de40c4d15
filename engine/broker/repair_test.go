package broker_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"passbook/engine/broker"
)

func partitionDir(dir, topic string, partition int32) string {
	return filepath.Join(dir, "data", "partitions", fmt.Sprintf("%s-%d", topic, partition))
}

// halve cuts the first segment of a partition in its middle.
func halve(t tb, dir, topic string, partition int32) {
	t.Helper()
	path := filepath.Join(partitionDir(dir, topic, partition), "0.dat")
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.NoError(t, os.Truncate(path, info.Size()/2))
}

// A lost end leaves the topic its id and the partition its beginning.
func TestRepair_LostEnd(t *testing.T) {
	t.Parallel()
	for name, stopFirst := range map[string]bool{"after a stop": true, "after a crash": false} {
		t.Run(name, func(t *testing.T) {
			dir, id := filled(t, stopFirst)
			halve(t, dir, "events", 0)
			s := start(t, dir, "")
			cl := dial(t, s.Addr())
			require.Equal(t, id, topicID(t, cl, "events"))
			n := requireSequence(t, s.Addr(), "events", 0)
			require.Positive(t, n)
			require.Less(t, n, int64(100))
			require.EqualValues(t, 100, requireSequence(t, s.Addr(), "events", 1))
			// Without it kfake loads the whole partition into memory.
			require.FileExists(t, filepath.Join(partitionDir(dir, "events", 0), "snapshot.json"))
		})
	}
}

// Damage between sound segments ends the partition: kfake alone would skip over it in silence.
func TestRepair_Hole(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]func(path string) error{
		"missing": func(path string) error {
			return errors.Join(os.Remove(path), os.Remove(strings.TrimSuffix(path, ".dat")+".idx"))
		},
		"empty": func(path string) error { return os.Truncate(path, 0) },
		"garbled": func(path string) error {
			content, err := os.ReadFile(path)
			content[len(content)-1] ^= 1
			return errors.Join(err, os.WriteFile(path, content, 0o600))
		},
		"impossible length": func(path string) error {
			content, err := os.ReadFile(path)
			clear(content[8:12])
			return errors.Join(err, os.WriteFile(path, content, 0o600))
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir, id := filled(t, true)
			segments, err := filepath.Glob(filepath.Join(partitionDir(dir, "events", 0), "*.dat"))
			require.NoError(t, err)
			require.Greater(t, len(segments), 3)
			for _, path := range segments {
				if filepath.Base(path) != "0.dat" {
					require.NoError(t, damage(path))
					break
				}
			}
			s := start(t, dir, "")
			require.Equal(t, id, topicID(t, dial(t, s.Addr()), "events"))
			n := requireSequence(t, s.Addr(), "events", 0)
			require.Positive(t, n)
			require.Less(t, n, int64(100))
			segments, err = filepath.Glob(filepath.Join(partitionDir(dir, "events", 0), "*.dat"))
			require.NoError(t, err)
			indexes, err := filepath.Glob(filepath.Join(partitionDir(dir, "events", 0), "*.idx"))
			require.NoError(t, err)
			require.Len(t, indexes, len(segments))
		})
	}
}

// The gaps that compaction leaves are no damage.
func TestRepair_Compacted(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := start(t, dir, "")
	cl := dial(t, s.Addr())
	createTopic(t, cl, "states", 1, map[string]string{"segment.bytes": "500", "cleanup.policy": "compact"})
	for n := range int64(40) {
		record := &kgo.Record{Topic: "states", Key: []byte(itoa(n - n%5)), Value: []byte(value(0, n))}
		require.NoError(t, cl.ProduceSync(ctxOf(t), record).FirstErr())
	}
	s.Cluster().Compact()
	contents := func(s *server) (have []string) {
		for _, record := range read(t, s.Addr(), "states", 0) {
			have = append(have, itoa(record.Offset)+string(record.Value))
		}
		return have
	}
	want := contents(s)
	require.Less(t, len(want), 20)
	require.Greater(t, len(want), 3)

	require.Equal(t, want, contents(start(t, copyTree(t, dir), "")), "after a crash")
	s.stop()
	require.Equal(t, want, contents(start(t, dir, "")), "after a stop")
}

// Files of a topic that is not in topics.json would become the beginning of the next topic of that name.
func TestRepair_Orphan(t *testing.T) {
	t.Parallel()
	dir, _ := filled(t, true)
	list := filepath.Join(dir, "data", "topics.json")
	require.NoError(t, os.WriteFile(list, []byte(`{"version":1,"topics":[]}`), 0o600))
	s := start(t, dir, "")
	cl := dial(t, s.Addr())
	createTopic(t, cl, "events", 2, nil)
	fill(t, cl, "events", 0, 0, 3)
	for range 2 {
		require.EqualValues(t, 3, requireSequence(t, s.Addr(), "events", 0))
		s.stop()
		s = start(t, dir, "")
	}
}

// Data that cannot be loaded is moved aside, one such folder is kept, and the topic has another id.
func TestRepair_Aside(t *testing.T) {
	t.Parallel()
	dir, id := filled(t, true)
	for _, damage := range []func(path string) error{
		func(path string) error { return os.Remove(filepath.Join(path, "topics.json")) },
		func(path string) error { return os.Remove(filepath.Join(path, "meta.json")) },
		func(path string) error { return os.Truncate(filepath.Join(path, "topics.json"), 10) },
		func(path string) error { return os.Truncate(filepath.Join(path, "acls.json"), 1) },
	} {
		require.NoError(t, damage(filepath.Join(dir, "data")))
		s := start(t, dir, "")
		cl := dial(t, s.Addr())
		require.Empty(t, topicID(t, cl, "events"))
		createTopic(t, cl, "events", 1, nil)
		require.NoError(t, cl.ProduceSync(ctxOf(t), &kgo.Record{Topic: "events", Value: []byte(id)}).FirstErr())
		records := read(t, s.Addr(), "events", 0)
		require.Len(t, records, 1)
		require.Equal(t, id, string(records[0].Value))
		require.NotEqual(t, id, topicID(t, cl, "events"))
		id = topicID(t, cl, "events")
		s.stop()
		names, err := filepath.Glob(filepath.Join(dir, "*"))
		require.NoError(t, err)
		data := filepath.Join(dir, "data")
		require.ElementsMatch(t, []string{filepath.Join(dir, "lock"), data, data + ".unreadable"}, names)
	}

	require.NoError(t, os.Truncate(filepath.Join(dir, "data", "topics.json"), 0))
	var log bytes.Buffer
	b, err := broker.New(broker.Config{Addr: "127.0.0.1:0", Dir: dir, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	require.NoError(t, err)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	require.NoError(t, b.Run(ended))
	require.Equal(t, 1, strings.Count(log.String(), "\n"), log.String())
	require.Contains(t, log.String(), "data.unreadable")
	require.Contains(t, log.String(), "topics.json")
}

// A torn end of the groups' journal does not hide what is written behind it.
func TestRepair_Journal(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := start(t, dir, "")
	cl := dial(t, s.Addr())
	createTopic(t, cl, "events", 1, nil)
	commit(t, cl, "readers", "events", 0, 1)

	dir = copyTree(t, dir)
	journal, err := os.OpenFile(filepath.Join(dir, "data", "groups.log"), os.O_APPEND|os.O_WRONLY, 0)
	require.NoError(t, err)
	_, err = journal.Write([]byte{40, 0, 0, 0, 1, 2, 3})
	require.NoError(t, err)
	require.NoError(t, journal.Close())
	s = start(t, dir, "")
	cl = dial(t, s.Addr())
	require.EqualValues(t, 1, committed(t, cl, "readers", "events", 0))
	commit(t, cl, "readers", "events", 0, 2)

	s = start(t, copyTree(t, dir), "")
	require.EqualValues(t, 2, committed(t, dial(t, s.Addr()), "readers", "events", 0))
}

// No permission is no reason to throw the data away.
func TestRepair_Permission(t *testing.T) {
	t.Parallel()
	if os.Geteuid() == 0 {
		t.Skip("root may read everything")
	}
	dir, id := filled(t, true)
	list := filepath.Join(dir, "data", "topics.json")
	require.NoError(t, os.Chmod(list, 0))
	_, err := broker.New(broker.Config{Addr: "127.0.0.1:0", Dir: dir})
	requireConfigError(t, err, "Dir", dir)
	require.NoError(t, os.Chmod(list, 0o600))
	s := start(t, dir, "")
	require.Equal(t, id, topicID(t, dial(t, s.Addr()), "events"))
}

// filled makes a folder with the topic events, two partitions with a hundred records in several segments each, and
// returns it with the topic's id.
func filled(t *testing.T, stopped bool) (dir, id string) {
	t.Helper()
	dir = t.TempDir()
	s := start(t, dir, "")
	cl := dial(t, s.Addr())
	createTopic(t, cl, "events", 2, map[string]string{"segment.bytes": "1000"})
	fill(t, cl, "events", 0, 0, 100)
	fill(t, cl, "events", 1, 0, 100)
	id = topicID(t, cl, "events")
	if stopped {
		cl.Close()
		s.stop()
		return dir, id
	}
	return copyTree(t, dir), id
}
