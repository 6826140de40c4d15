package archive_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"passbook/engine/memory"
	"passbook/es/archive"
)

// refused imports a file that must be refused: nothing is written, and the store
// can still be filled from a good one.
func refused(t *testing.T, file []byte, what string, args ...any) error {
	t.Helper()
	store := memory.NewEventStore()
	_, err := archive.Import(t.Context(), store, bytes.NewReader(file), archive.ImportConfig{})
	require.ErrorIs(t, err, archive.ErrFile, what, args)
	require.NotContains(t, err.Error(), "\n")
	require.Empty(t, read(t, store))
	_, errHistory := store.History(t.Context())
	require.NoError(t, errHistory, "an import is under way")
	return err
}

func smallFile(t *testing.T) []byte {
	t.Helper()
	store := memory.NewEventStore()
	small(t, store)
	_, file := export(t, store)
	require.NotEmpty(t, importInto(t, memory.NewEventStore(), file), "the file is good")
	return file
}

// No byte of a file can be another, missing, or too much.
func TestImport_EveryByteCounts(t *testing.T) {
	t.Parallel()
	file := smallFile(t)
	for i := range file {
		refused(t, file[:i], "cut at %d", i)
		refused(t, slices.Delete(bytes.Clone(file), i, i+1), "without byte %d", i)
		refused(t, slices.Insert(bytes.Clone(file), i, ' '), "a space before byte %d", i)
		changed := bytes.Clone(file)
		changed[i] ^= 1
		refused(t, changed, "another byte %d", i)
	}
	refused(t, append(bytes.Clone(file), '\n'), "a line too much")
	refused(t, append(bytes.Clone(file), file...), "two files")
}

// No line can be missing, twice or in another place.
func TestImport_EveryLineCounts(t *testing.T) {
	t.Parallel()
	lines := bytes.SplitAfter(smallFile(t), []byte("\n"))
	lines = lines[:len(lines)-1]
	for i := range lines {
		refused(t, bytes.Join(slices.Delete(slices.Clone(lines), i, i+1), nil), "without line %d", i)
		refused(t, bytes.Join(slices.Insert(slices.Clone(lines), i, lines[i]), nil), "line %d twice", i)
		for j := range i {
			swapped := slices.Clone(lines)
			swapped[i], swapped[j] = swapped[j], swapped[i]
			refused(t, bytes.Join(swapped, nil), "lines %d and %d in each other's place", i, j)
		}
	}
}

// What is wrong is found by itself too, not by the checksum alone: the error
// names the line and the fault.
func TestImport_NamesTheLine(t *testing.T) {
	t.Parallel()
	good := string(smallFile(t))
	for name, c := range map[string]struct{ old, replacement, want string }{
		"OtherKind":      {`"passbook":"events"`, `"passbook":"else"`, "line 1: it is no export"},
		"NewerFormat":    {`"format":1`, `"format":2`, "line 1: the file has format 2"},
		"HeadTooHigh":    {`"head":5`, `"head":6`, "line 7: the file has 5 events"},
		"Position":       {`"position":3`, `"position":4`, "line 4: position 4 where 3 is next"},
		"Version":        {`"stream":"a","version":1`, `"stream":"a","version":2`, "line 3: stream \"a\": version 2 where 1 is next"},
		"NewStreamAt1":   {`"stream":"a","version":0`, `"stream":"a","version":1`, "line 2: stream \"a\": version 1 where 0 is next"},
		"UnknownMember":  {`"schema":1,`, `"schema":1,"more":1,`, "line 2: it is not written as an export writes it"},
		"OtherLetters":   {`"stream":"a"`, `"Stream":"a"`, "line 2: it is not written"},
		"MemberTwice":    {`"schema":1,`, `"schema":1,"schema":1,`, "line 2: it is not written"},
		"OtherNumber":    {`"schema":1,`, `"schema":1.0,`, "line 2: it is no event"},
		"BadSchema":      {`"schema":1,`, `"schema":0,`, "line 2: stream \"a\": invalid commit: event 0 has no type"},
		"NoStream":       {`"stream":"a","version":0`, `"stream":"","version":0`, "line 2: stream \"\": invalid commit: the stream's name"},
		"BrokenBase64":   {`"dataBase64":"`, `"dataBase64":"!`, "line 4: it is no event"},
		"NullText":       {`"category":"thing"`, `"category":null`, "line 2: it is no event: null stands"},
		"KeyWithoutText": {`"key":{"value":"k","client":"me"`, `"key":{"value":"","client":"me"`, "line 4: it is not written"},
		"KeyTwice":       {`"value":"k","requestHash"`, `"value":"k","client":"me","requestHash"`, "line 6: the idempotency key of stream \"a\" was there before"},
		"Events":         {`"events":5`, `"events":4`, "line 7: the file has 5 events and 2 keys, and should have 4 and 2"},
		"Keys":           {`"keys":2`, `"keys":1`, "line 7: the file has 5 events and 2 keys, and should have 5 and 1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bad := strings.Replace(good, c.old, c.replacement, 1)
			require.NotEqual(t, good, bad)
			require.ErrorContains(t, refused(t, sealed(bad), name), c.want)
		})
	}
	t.Run("IDTwice", func(t *testing.T) {
		t.Parallel()
		lines := strings.Split(good, "\n")
		first, second := idOf(lines[1]), idOf(lines[4])
		bad := strings.Replace(good, second, first, 1)
		require.ErrorContains(t, refused(t, sealed(bad), "id"), fmt.Sprintf("line 5: event id %q was there before", first))
	})
	t.Run("Checksum", func(t *testing.T) {
		t.Parallel()
		bad := strings.Replace(good, `"causationId":"<d>"`, `"causationId":"<e>"`, 1)
		require.ErrorContains(t, refused(t, []byte(bad), "sum"), "line 7: the checksum is that of other lines")
	})
	t.Run("LongLine", func(t *testing.T) {
		t.Parallel()
		bad := strings.Replace(good, `"n":0`, `"n":`+strings.Repeat("1", 17<<20), 1)
		require.ErrorContains(t, refused(t, sealed(bad), "long"), "line 2: it is longer than")
	})
}

func idOf(line string) string {
	_, rest, _ := strings.Cut(line, `"id":"`)
	id, _, _ := strings.Cut(rest, `"`)
	return id
}

// sealed gives a file the checksum that its lines have now.
func sealed(file string) []byte {
	body := file[:strings.LastIndex(file, "\n{")+1]
	last, sum := file[len(body):], sha256.Sum256([]byte(body))
	before, _, _ := strings.Cut(last, `"sha256":"`)
	return []byte(body + before + `"sha256":"` + hex.EncodeToString(sum[:]) + "\"}}\n")
}

func TestImport_NoFileOfOurs(t *testing.T) {
	t.Parallel()
	for _, content := range []string{"", "\n", "{}\n", "hello\n", "SQLite format 3\x00", "{\"end\":{}}\n"} {
		require.ErrorContains(t, refused(t, []byte(content), content), "line 1: ")
	}
}
