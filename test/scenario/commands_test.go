package scenario_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/require"

	"passbook/contract/account"
	"passbook/engine/mongodb"
	"passbook/engine/sqlite"
	"passbook/es/event"
	"passbook/es/eventstore"
	"passbook/internal/testenv"
)

// patience is how long is waited for what is sure to come.
const patience = time.Minute

type command = func(ts *testscript.TestScript, negated bool, args []string)

func commands() map[string]command {
	return map[string]command{
		"site": takes(1, 1, func(ts *testscript.TestScript, args []string) { storyOf(ts).visit(args[0], ts.Setenv) }),
		"serve": takes(1, 20, func(ts *testscript.TestScript, args []string) {
			storyOf(ts).serve(ts, args[0], args[1:])
		}),
		"end":        takes(1, 1, func(ts *testscript.TestScript, args []string) { process(ts, args[0]).Stop() }),
		"crash":      takes(1, 1, func(ts *testscript.TestScript, args []string) { process(ts, args[0]).Kill() }),
		"http":       takes(3, 10, request),
		"eventually": takes(2, 20, eventually),
		"capture":    takes(2, 2, capture),
		"append":     takes(4, 4, appendEvent),
	}
}

// takes checks the number of arguments, and that nobody wants the command to
// fail: none of them tells failing from being wrong.
func takes(least, most int, do func(*testscript.TestScript, []string)) command {
	return func(ts *testscript.TestScript, negated bool, args []string) {
		if negated || len(args) < least || len(args) > most {
			ts.Fatalf("want %d to %d arguments, and no !", least, most)
		}
		do(ts, args)
	}
}

func process(ts *testscript.TestScript, name string) *testenv.Passbook {
	p, known := storyOf(ts).processes[name]
	if !known || !p.Running() {
		ts.Fatalf("no process %s runs", name)
	}
	return p
}

// request sends a request; arguments behind the body are headers, NAME:VALUE.
func request(ts *testscript.TestScript, args []string) {
	status, err := strconv.Atoi(args[0])
	ts.Check(err)
	body := ""
	if len(args) > 3 {
		body = args[3]
	}
	r, err := http.NewRequestWithContext(storyOf(ts).t.Context(), args[1], args[2], strings.NewReader(body))
	ts.Check(err)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for _, header := range args[min(len(args), 4):] {
		name, value, found := strings.Cut(header, ":")
		if !found {
			ts.Fatalf("%q is no header: want NAME:VALUE", header)
		}
		r.Header.Set(name, value)
	}
	response, err := http.DefaultClient.Do(r)
	ts.Check(err)
	defer func() { _ = response.Body.Close() }()
	ts.Check(response.Header.Write(ts.Stdout()))
	content, err := io.ReadAll(response.Body)
	ts.Check(err)
	_, err = fmt.Fprintf(ts.Stdout(), "\n%s\n", content)
	ts.Check(err)
	if response.StatusCode != status {
		ts.Fatalf("%s %s: %s, want %d\n%s", args[1], args[2], response.Status, status, content)
	}
}

// eventually runs a program, or asks an address, until what comes matches.
func eventually(ts *testscript.TestScript, args []string) {
	wanted, err := regexp.Compile("(?m)" + args[0])
	ts.Check(err)
	for deadline := time.Now().Add(patience); ; {
		printed, err := attempt(ts, args[1:])
		if err == nil && wanted.MatchString(printed) {
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("%v does not print %q: %v\n%s", args[1:], args[0], err, printed)
		}
		pause := time.NewTimer(20 * time.Millisecond)
		<-pause.C
	}
}

func attempt(ts *testscript.TestScript, args []string) (printed string, err error) {
	if !strings.HasPrefix(args[0], "http://") {
		err = ts.Exec(args[0], args[1:]...)
		return ts.ReadFile("stdout") + ts.ReadFile("stderr"), err
	}
	r, err := http.NewRequestWithContext(storyOf(ts).t.Context(), http.MethodGet, args[0], http.NoBody)
	if err != nil {
		return "", err
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return "", err
	}
	defer func() { _ = response.Body.Close() }()
	content, err := io.ReadAll(response.Body)
	return string(content), err
}

func capture(ts *testscript.TestScript, args []string) {
	pattern, err := regexp.Compile("(?m)" + args[1])
	ts.Check(err)
	found := pattern.FindStringSubmatch(ts.ReadFile("stdout"))
	if len(found) < 2 {
		ts.Fatalf("stdout does not match %q", args[1])
	}
	ts.Setenv(args[0], found[1])
}

// appendEvent writes an event with the program's own engines: no command makes
// one that the program does not know.
func appendEvent(ts *testscript.TestScript, args []string) {
	s := storyOf(ts)
	engine, closeEngine := openStore(ts, s.here.settings["PASSBOOK_EVENT_STORE"])
	defer func() { ts.Check(closeEngine()) }()
	store, err := eventstore.New(s.t.Context(), engine, eventstore.Config{})
	ts.Check(err)
	ctx, stop := context.WithCancel(s.t.Context())
	ended := make(chan error, 1)
	go func() { ended <- store.Run(ctx) }()
	version, err := strconv.ParseInt(args[1], 10, 64)
	ts.Check(err)
	kind, err := event.ParseType(args[2])
	ts.Check(err)
	_, err = store.Append(s.t.Context(), eventstore.Commit{Stream: args[0], Expected: version, Events: []event.Envelope{{
		ID: event.NewID(), Category: account.AggregateType, Type: kind, Time: event.Truncate(time.Now()), Data: []byte(args[3]),
	}}})
	stop()
	require.NoError(s.t, <-ended)
	ts.Check(err)
}

func openStore(ts *testscript.TestScript, location string) (engine eventstore.Engine, closeEngine func() error) {
	ctx := storyOf(ts).t.Context()
	if path, found := strings.CutPrefix(location, "sqlite:"); found {
		store, err := sqlite.OpenEventStore(ctx, path)
		ts.Check(err)
		return store, store.Close
	}
	store, err := mongodb.OpenEventStore(ctx, location)
	ts.Check(err)
	return store, store.Close
}
