package main

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"passbook/internal/testenv"
)

var update = flag.Bool("update", false, "write the golden files")

func TestMain(m *testing.M) {
	flag.Parse()
	code := m.Run()
	testenv.Cleanup()
	os.Exit(code)
}

// session is what somebody types at a running system, and what they read.
type session struct {
	t    *testing.T
	p    *testenv.Passbook
	text bytes.Buffer
}

func newSession(t *testing.T) *session {
	t.Helper()
	p := testenv.Start(t, t.TempDir())
	p.AwaitReady(t.Context())
	return &session{t: t, p: p}
}

// run runs one command line and notes everything that it says.
func (s *session) run(line string) (code int, stdout string) {
	s.t.Helper()
	var out, errs bytes.Buffer
	code = execute(append(split(line), "--command-url", s.p.Command, "--query-url", s.p.Query), &out, &errs)
	s.note(line, code, out.String(), errs.String())
	return code, out.String()
}

func (s *session) note(line string, code int, stdout, stderr string) {
	s.text.WriteString("$ passbook " + line + "\n" + stdout + stderr)
	if code != exitDone {
		fmt.Fprintf(&s.text, "exit %d\n", code)
	}
	s.text.WriteString("\n")
}

// done runs a line that has to work.
func (s *session) done(line string) string {
	s.t.Helper()
	code, out := s.run(line)
	require.Equal(s.t, exitDone, code, s.text.String())
	return out
}

// no runs a line whose answer is no.
func (s *session) no(line string) {
	s.t.Helper()
	code, out := s.run(line)
	require.Equal(s.t, exitNo, code, s.text.String())
	require.Empty(s.t, out)
}

// visible waits until queries show a version of an account.
func (s *session) visible(id string, version int) {
	s.t.Helper()
	line := fmt.Sprintf("accounts get %s --min-version %d --wait 1s", id, version)
	require.Eventually(s.t, func() bool { code, _ := s.run(line); return code == exitDone }, time.Minute, time.Millisecond, "%s", &s.text)
}

// split takes a line apart at its spaces, but for those between apostrophes.
func split(line string) []string {
	var words []string
	for i, part := range strings.Split(line, "'") {
		if i%2 == 1 {
			words = append(words, part)
			continue
		}
		words = append(words, strings.Fields(part)...)
	}
	return words
}

// What is another at every run keeps its width, so that columns stay where they are.
var (
	someTime = regexp.MustCompile(`\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+)?Z`)
	someURL  = regexp.MustCompile(`http://127\.0\.0\.1:\d+`)
	someKey  = regexp.MustCompile(`page-token=\S+`)
)

// require compares all that was said with the golden file.
func (s *session) require(name string) {
	s.t.Helper()
	text := someTime.ReplaceAll(s.text.Bytes(), []byte("2026-01-02 03:04:05Z"))
	text = someURL.ReplaceAll(text, []byte("URL"))
	text = someKey.ReplaceAll(text, []byte("page-token=TOKEN"))
	file := filepath.Join("testdata", name+".txt")
	if *update {
		require.NoError(s.t, os.MkdirAll("testdata", 0o750))
		require.NoError(s.t, os.WriteFile(file, text, 0o600))
	}
	want, err := os.ReadFile(file)
	require.NoError(s.t, err)
	require.Equal(s.t, string(want), string(text))
}

func TestAccounts_Commands(t *testing.T) {
	t.Parallel()
	s := newSession(t)
	s.done("accounts open --holder 'Ann Archer' --balance 50 --id ann --type savings --email ann@example.com --phone 123")
	s.done("accounts deposit ann 1200.5 --reference salary --key k1")
	s.done("accounts deposit ann 1200.5 --reference salary --key k1")
	s.done("accounts withdraw ann 20 --if-version 1")
	s.done("accounts withdraw ann 30 --json")
	s.done("accounts open --holder Jun --currency JPY --id jun --json")
	s.done("accounts deposit jun 700 --currency JPY")
	s.no("accounts deposit ann 5 --key k1")
	s.no("accounts withdraw ann 5000")
	s.no("accounts withdraw ann -5")
	s.no("accounts withdraw jun 5")
	s.no("accounts withdraw ann 5 --if-version 1")
	s.no("accounts deposit nobody 5")
	s.no("accounts close ann")
	s.no("accounts open --holder ''")
	s.no("accounts open --holder Ann --id ann")
	s.no("accounts open --holder ' ' --id 'a b' --currency EUX")
	s.done("accounts withdraw jun 700 --currency JPY")
	s.done("accounts close jun --reason 'moved away'")
	s.no("accounts close jun")
	s.require("accounts_commands")
}

func TestAccounts_Queries(t *testing.T) {
	t.Parallel()
	s := newSession(t)
	for _, line := range []string{
		"accounts open --holder 'Ann Archer' --balance 50 --id ann --type savings",
		"accounts deposit ann 1200.5 --reference salary",
		"accounts withdraw ann 20.25 --reference 'groceries, and more'",
		"accounts open --holder Jun --currency JPY --id jun",
		"accounts open --holder Zoé --id zoe --balance 7",
		"accounts withdraw zoe 7",
		"accounts close zoe --reason 'moved away'",
	} {
		s.done(line)
	}
	s.visible("ann", 2)
	s.visible("jun", 0)
	s.visible("zoe", 2)
	s.text.Reset()
	s.done("accounts get zoe")
	s.done("accounts get ann --min-version 2")
	s.done("accounts get ann --at-version 1")
	s.done("accounts get ann --json")
	s.done("accounts list")
	s.done("accounts list --status open --sort -balance --currency EUR")
	s.done("accounts list --holder Nobody")
	s.done("accounts list --page-size 1")
	s.done("accounts list --page-size 1 --all")
	s.done("accounts list --page-size 1 --all --json --status open")
	s.done("accounts list --holder Nobody --all --json")
	s.done("accounts history ann")
	s.done("accounts history zoe --json")
	s.done("accounts statement ann")
	s.done("accounts statement ann --csv")
	s.done("accounts statement ann --from 2020-01-01 --to 2020-02-01")
	s.no("accounts get nobody")
	s.no("accounts history nobody")
	s.no("accounts get ann --at-version 77")
	s.no("accounts get ann --min-version 77 --wait 10ms")
	s.no("accounts list --sort holder")
	s.no("accounts list --page-size 2000")
	s.require("accounts_queries")
}

// What programs read is what the API says, to the byte.
func TestAccounts_AsTheAPISays(t *testing.T) {
	t.Parallel()
	s := newSession(t)
	s.done("accounts open --holder 'Ann & \"Bob\" <x>' --balance 50 --id ann")
	s.done("accounts open --holder Bob --id bob")
	s.done("accounts deposit ann 7 --reference 'a, \"b\"'")
	s.done("accounts withdraw ann 57")
	s.done("accounts close ann")
	s.visible("ann", 3)
	s.visible("bob", 0)
	for line, path := range map[string]string{
		"accounts get ann --json":                "/ann",
		"accounts list --json":                   "",
		"accounts list --json --page-size 1":     "?pageSize=1",
		"accounts list --json --all":             "",
		"accounts history ann --json":            "/ann/statement",
		"accounts statement ann --json":          "/ann/statement",
		"accounts statement ann --csv":           "/ann/statement",
		"accounts get ann --at-version 1 --json": "/ann?atVersion=1",
	} {
		media := "application/json"
		if strings.Contains(line, "--csv") {
			media = "text/csv"
		}
		require.Equal(t, s.ask(path, media), strings.ReplaceAll(s.done(line), "\r\n", "\n"), line)
	}
}

// ask gets what the query API says, with one newline at its end.
func (s *session) ask(path, media string) string {
	s.t.Helper()
	request, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, s.p.Query+"/api/v2/accounts"+path, nil)
	require.NoError(s.t, err)
	request.Header.Set("Accept", media)
	response, err := http.DefaultClient.Do(request)
	require.NoError(s.t, err)
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	require.NoError(s.t, err)
	require.Equal(s.t, http.StatusOK, response.StatusCode, string(body))
	return strings.TrimRight(strings.ReplaceAll(string(body), "\r\n", "\n"), "\n") + "\n"
}
