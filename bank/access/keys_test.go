package access_test

import (
	"crypto/sha256"
	"encoding/base64"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"

	"context"

	"github.com/stretchr/testify/require"

	"passbook/bank/access"
)

func TestNewKey(t *testing.T) {
	key, line, err := access.NewKey("till-3", []access.Scope{access.Command, access.Query})
	require.NoError(t, err)
	require.Regexp(t, `^passbook_[A-Za-z0-9_-]{43}$`, key)
	hash := sha256.Sum256([]byte(key))
	require.Equal(t, "till-3 sha256:"+base64.RawURLEncoding.EncodeToString(hash[:])+" command,query", line)
	require.NotContains(t, line, key)
	_, err = access.ParseKeys(strings.NewReader("# tills\n\n  " + line + "\r\n"))
	require.NoError(t, err)

	again, _, err := access.NewKey("till-3", []access.Scope{access.Command})
	require.NoError(t, err)
	require.NotEqual(t, key, again)
	for _, name := range []string{"", "a b", "a\nb", "ä", strings.Repeat("n", 65)} {
		_, _, err := access.NewKey(name, access.Scopes())
		require.ErrorContains(t, err, "a key's name has")
	}
	_, _, err = access.NewKey("till-3", nil)
	require.ErrorContains(t, err, "good for nothing")
}

func TestParseScopes(t *testing.T) {
	scopes, err := access.ParseScopes("operate, command")
	require.NoError(t, err)
	require.Equal(t, []access.Scope{access.Operate, access.Command}, scopes)
	for _, text := range []string{"", "command,", "COMMAND", "command,command", "all"} {
		_, err := access.ParseScopes(text)
		require.Error(t, err, text)
	}
}

func TestParseKeys_Faults(t *testing.T) {
	_, one, err := access.NewKey("one", access.Scopes())
	require.NoError(t, err)
	_, two, err := access.NewKey("two", access.Scopes())
	require.NoError(t, err)
	words := strings.Fields(one)
	for text, want := range map[string]string{
		"":                                   "no key in it",
		"# only this":                        "no key in it",
		"one":                                "line 1: want three words",
		one + " more":                        "line 1: want three words",
		one + "\n" + one:                     "line 2: the name is that of line 1",
		"x " + words[1] + " command\n" + one: "line 2: the hash is that of an earlier line",
		"a/b " + words[1] + " command":       "line 1: a key's name has",
		"one " + words[1] + " root":          "line 1: unknown scope",
		"one sha256:AAAA command":            "line 1: the second word is no hash",
		"one " + words[1][1:] + " command":   "line 1: the second word is no hash",
		two + "\nsecret":                     "line 2: want three words",
	} {
		_, err := access.ParseKeys(strings.NewReader(text))
		require.ErrorContains(t, err, want, text)
		require.NotContains(t, err.Error(), "secret")
	}
}

func TestFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys")
	_, err := access.OpenFile(path, slog.Default())
	require.ErrorContains(t, err, path)
	_, line, err := access.NewKey("one", access.Scopes())
	require.NoError(t, err)
	write := func(content string) { require.NoError(t, os.WriteFile(path, []byte(content), 0o600)) }
	write("nonsense")
	_, err = access.OpenFile(path, slog.Default())
	require.ErrorContains(t, err, path+": line 1: ")
	write(line)

	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		file, err := access.OpenFile(path, slog.New(slog.NewTextHandler(&log, nil)))
		require.NoError(t, err)
		first := file.Keys()
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- file.Run(ctx) }()

		write("nonsense")
		pass(4)
		synctest.Wait()
		require.Same(t, first, file.Keys(), "a wrong file took the keys away")
		require.Equal(t, 1, strings.Count(log.String(), "the API keys stay what they were"))
		write("# mended\n" + line)
		pass(3)
		synctest.Wait()
		require.NotSame(t, first, file.Keys())
		second := file.Keys()
		pass(5)
		synctest.Wait()
		require.Same(t, second, file.Keys(), "a file that did not change was parsed again")
		stop()
		require.NoError(t, <-ended)
	})
}
