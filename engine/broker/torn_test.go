package broker_test

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"pgregory.net/rapid"
)

// torn is a folder with two topics in many segments, as a stop or a crash leaves it.
type torn struct {
	dir string
	ids map[string]string
}

func tornFolders(t *testing.T) map[string]torn {
	dir := t.TempDir()
	s := start(t, dir, "")
	cl := dial(t, s.Addr())
	createTopic(t, cl, "events", 2, map[string]string{"segment.bytes": "6000"})
	createTopic(t, cl, "states", 1, map[string]string{"segment.bytes": "6000", "cleanup.policy": "compact"})
	fill(t, cl, "events", 0, 0, 150)
	fill(t, cl, "events", 1, 0, 40)
	for n := range 60 {
		record := &kgo.Record{Topic: "states", Key: []byte{byte(n % 7)}, Value: []byte(value(0, int64(n)))}
		require.NoError(t, cl.ProduceSync(ctxOf(t), record).FirstErr())
		if n == 40 {
			s.Cluster().Compact()
		}
	}
	commit(t, cl, "readers", "events", 0, 17)
	commit(t, cl, "readers", "events", 1, 18)
	ids := map[string]string{"events": topicID(t, cl, "events"), "states": topicID(t, cl, "states")}

	first := copyTree(t, dir) // never stopped
	s.stop()
	stopped := copyTree(t, dir)
	s = start(t, dir, "")
	fill(t, dial(t, s.Addr()), "events", 0, 150, 200)
	later := copyTree(t, dir) // with snapshots of an earlier stop
	return map[string]torn{"crashed": {first, ids}, "stopped": {stopped, ids}, "crashed later": {later, ids}}
}

// Whatever is cut off the files, the broker comes up, and a topic is there with its id and an unbroken beginning of its
// records, to which more can be added, or it is not there at all.
func TestTorn(t *testing.T) {
	t.Parallel()
	folders := tornFolders(t)
	names := slices.Sorted(maps.Keys(folders))
	rapid.Check(t, func(rt *rapid.T) {
		folder := folders[rapid.SampledFrom(names).Draw(rt, "folder")]
		dir := copyTree(rt, folder.dir)
		for range rapid.IntRange(1, 3).Draw(rt, "files") {
			damage(rt, dir)
		}
		requireUsable(rt, dir, folder.ids)
	})
}

// damage spoils one file as a crash of the machine can.
func damage(t *rapid.T, dir string) {
	var paths []string
	require.NoError(t, filepath.WalkDir(filepath.Join(dir, "data"), func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() {
			paths = append(paths, path)
		}
		return err
	}))
	path := rapid.SampledFrom(paths).Draw(t, "path")
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	at := rapid.IntRange(0, len(content)).Draw(t, "at")
	switch rapid.SampledFrom([]string{"truncate", "zero", "remove", "garble"}).Draw(t, "damage") {
	case "truncate":
		content = content[:at]
	case "zero": // the length was written, the content was not
		clear(content[at:])
	case "remove":
		if !strings.HasSuffix(path, ".dat") { // a missing beginning looks like one that was deleted on purpose
			require.NoError(t, os.Remove(path))
			return
		}
		content = nil
	case "garble":
		if at < len(content) && !strings.HasSuffix(path, ".json") {
			content[at] ^= byte(rapid.IntRange(1, 255).Draw(t, "bits"))
		}
	}
	require.NoError(t, os.WriteFile(path, content, 0o600))
}

func requireUsable(t tb, dir string, ids map[string]string) {
	t.Helper()
	s := start(t, dir, "")
	cl := dial(t, s.Addr())
	details, err := kadm.NewClient(cl).ListTopics(ctxOf(t))
	require.NoError(t, err)
	for topic, detail := range details {
		require.Equal(t, ids[topic], detail.ID.String())
	}

	have := make(map[int32]int64)
	if details.Has("events") {
		for p := range int32(2) {
			have[p] = requireSequence(t, s.Addr(), "events", p)
			fill(t, cl, "events", p, have[p], have[p]+30)
		}
	}
	if details.Has("states") {
		requireIncreasing(t, read(t, s.Addr(), "states", 0))
	}
	cl.Close()
	s.stop()

	s = start(t, dir, "")
	for p, n := range have {
		require.Equal(t, n+30, requireSequence(t, s.Addr(), "events", p))
	}
}

func requireIncreasing(t tb, records []*kgo.Record) {
	t.Helper()
	for n := 1; n < len(records); n++ {
		require.Greater(t, records[n].Offset, records[n-1].Offset)
	}
}
