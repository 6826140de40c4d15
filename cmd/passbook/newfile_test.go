package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func readAll(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(content)
}

func TestNewFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "file")
	first, err := createFile(path, false)
	require.NoError(t, err)
	second, err := createFile(path, false)
	require.NoError(t, err)
	for text, file := range map[string]*newFile{"first": first, "second": second} {
		_, err := file.WriteString(text)
		require.NoError(t, err)
		require.NoFileExists(t, path, "it is there before it is whole")
	}
	require.NoError(t, first.commit())
	require.NoError(t, first.discard(), "after a commit it does nothing")
	require.Equal(t, "first", readAll(t, path))

	// Who comes second does not overwrite, though there was no file at first.
	require.ErrorIs(t, second.commit(), errFileExists)
	require.NoError(t, second.discard())
	require.Equal(t, "first", readAll(t, path))
	_, err = createFile(path, false)
	require.ErrorIs(t, err, errFileExists)

	third, err := createFile(path, true)
	require.NoError(t, err)
	_, err = third.WriteString("third")
	require.NoError(t, err)
	require.Equal(t, "first", readAll(t, path))
	require.NoError(t, third.commit())
	require.Equal(t, "third", readAll(t, path))

	fourth, err := createFile(path, true)
	require.NoError(t, err)
	require.NoError(t, fourth.discard())
	entries, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	require.Len(t, entries, 1, "nothing is left behind")
	require.Equal(t, "third", readAll(t, path))
}

// A device or a folder is not replaced by a file, whatever was asked for.
func TestNewFile_NoFile(t *testing.T) {
	t.Parallel()
	_, err := createFile(t.TempDir(), true)
	require.ErrorContains(t, err, "is no regular file")
}

func TestRemoveDerived(t *testing.T) {
	t.Parallel()
	f := &folder{path: filepath.Join(t.TempDir(), "odd [name]*")}
	require.NoError(t, os.MkdirAll(f.file("broker/topic"), 0o700))
	kept := []string{"events.db", "events.db-wal", "instance", "lock", "notify.db", "readmodel.db.lock"}
	for _, name := range append([]string{"readmodel.db", "readmodel.db-wal", "readmodel.db-shm", "broker/topic/0"}, kept...) {
		require.NoError(t, os.WriteFile(f.file(name), nil, 0o600))
	}
	for range 2 { // also when there is nothing left to remove
		require.NoError(t, removeDerived(f))
		entries, err := os.ReadDir(f.path)
		require.NoError(t, err)
		var names []string
		for _, entry := range entries {
			names = append(names, entry.Name())
		}
		require.Equal(t, kept, names)
	}
}

func TestElsewhere(t *testing.T) {
	t.Parallel()
	f := &folder{path: "data"}
	for _, c := range []struct {
		broker, readDB string
		lines          int
	}{
		{"embedded", "sqlite", 0},
		{"embedded:127.0.0.1:9999", "sqlite:data/readmodel.db", 0},
		{"kafka://a:1", "sqlite", 1},
		{"embedded", "sqlite:elsewhere.db", 1},
		{"kafka://a:1,b:2", "mysql://me:p@ss@host:1/db", 2},
	} {
		d := derivedFlags{readDBFlag{c.readDB}, brokerFlags{Broker: c.broker}, topicFlag{"t"}}
		todo := d.elsewhere(f)
		require.Len(t, todo, c.lines, c)
		for _, line := range todo {
			require.NotContains(t, line, "p@ss")
		}
	}
}
