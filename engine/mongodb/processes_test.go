package mongodb_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"passbook/engine/mongodb"
	"passbook/es/eventstore"
)

// writerEnv makes the test binary a process that appends to the store at the URL
// in it, until its standard input ends, and prints what its callers were told.
// eventsMaxEnv has the largest number of events of its commits.
const (
	writerEnv    = "MONGODB_TEST_WRITER"
	eventsMaxEnv = "MONGODB_TEST_EVENTS_MAX"
)

func TestMain(m *testing.M) {
	if url := os.Getenv(writerEnv); url != "" {
		if err := writeAndPrint(url); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// writeAndPrint has one caller append to one stream, and two to many.
func writeAndPrint(url string) error {
	ctx, stop := context.WithCancel(context.Background())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		stop()
	}()
	engine, err := mongodb.OpenEventStore(ctx, url)
	if err != nil {
		return err
	}
	store, err := eventstore.New(ctx, engine, eventstore.Config{
		Logger: slog.New(slog.DiscardHandler), AttemptTimeout: 5 * time.Second,
	})
	if err != nil {
		return err
	}
	var eventsMax int
	if _, err := fmt.Sscan(os.Getenv(eventsMaxEnv), &eventsMax); err != nil {
		return err
	}
	running, end := context.WithCancel(context.Background())
	ran := make(chan error, 1)
	go func() { ran <- store.Run(running) }()
	var callers sync.WaitGroup
	for i := range 3 {
		w := writer{store: store, streams: 1, eventsMax: eventsMax, told: printAnswer}
		if i >= 1 {
			w.streams = 40
		}
		callers.Go(func() { w.call(ctx, i) })
	}
	callers.Wait()
	end()
	if err := <-ran; err != nil {
		return err
	}
	return engine.Close()
}

const (
	saidWritten = "written"
	saidRefused = "refused"
	saidUnknown = "unknown"
)

// printAnswer prints a line: what was said, when it was asked and answered, the
// position of the last event, the ids of all.
func printAnswer(a answer) {
	said := saidWritten
	switch {
	case inDoubt(a.err):
		said = saidUnknown
	case a.err != nil:
		said = saidRefused
	}
	var ids strings.Builder
	for _, e := range a.Events {
		ids.WriteString(" " + e.ID)
	}
	fmt.Printf("%s %d %d %d%s\n", said, a.began, uptime(), a.Position, ids.String())
}

// uptime is that of the machine, in hundredths of a second: a clock that all
// processes share and nobody sets. 0 stands for a machine that has none.
func uptime() int64 {
	var whole, hundredths int64
	content, err := os.ReadFile("/proc/uptime")
	if err != nil {
		return 0
	}
	if _, err := fmt.Sscanf(string(content), "%d.%d", &whole, &hundredths); err != nil {
		return 0
	}
	return 100*whole + hundredths
}

// process is a writer in a process of its own.
type process struct {
	*ledger
	cmd   *exec.Cmd
	input io.Closer
	// over gets how it ended, once all that it has printed was read.
	over chan error
}

// startProcess starts one; each of its answers is handed to read when it is in
// the ledger.
func startProcess(t testing.TB, url string, eventsMax int, read func(*process)) *process {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	p := &process{ledger: newLedger(), cmd: exec.Command(self), over: make(chan error, 1)}
	p.cmd.Env = append(os.Environ(), writerEnv+"="+url, fmt.Sprint(eventsMaxEnv, "=", eventsMax))
	p.cmd.Stderr = os.Stderr
	out, err := p.cmd.StdoutPipe()
	require.NoError(t, err)
	p.input, err = p.cmd.StdinPipe()
	require.NoError(t, err)
	require.NoError(t, p.cmd.Start())
	t.Cleanup(func() { _ = p.cmd.Process.Kill() }) // it is gone, unless the test has failed
	go func() {
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			if err := p.noteLine(lines.Text()); err != nil {
				t.Error(err)
			}
			read(p)
		}
		p.over <- p.cmd.Wait()
	}()
	return p
}

// noteLine takes down what printAnswer has printed.
func (l *ledger) noteLine(line string) error {
	var said string
	var began, answered, position int64
	if _, err := fmt.Sscan(line, &said, &began, &answered, &position); err != nil {
		return fmt.Errorf("%q: %w", line, err)
	}
	ids := strings.Fields(line)[4:]
	l.mu.Lock()
	defer l.mu.Unlock()
	switch said {
	case saidWritten:
		for i, id := range ids {
			l.acknowledged[id] = position - int64(len(ids)-1-i)
		}
		l.intervals = append(l.intervals, interval{began, answered, position})
	case saidRefused:
		for _, id := range ids {
			l.refused[id] = eventstore.ErrConflict
		}
	case saidUnknown:
		l.unknown++
	default:
		return fmt.Errorf("%q is no answer", line)
	}
	return nil
}
