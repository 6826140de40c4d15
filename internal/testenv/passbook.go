package testenv

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience is how long a test waits for what should come at once. It is no
// measure of speed: only a hang is to fail by it.
const patience = 60 * time.Second

// built is the program, once for all tests of a test binary.
var built struct {
	once sync.Once
	path string
	err  error
}

// Program builds passbook, once, and returns the path of the binary. The
// folder that it lies in is for the caller of Main to remove.
func Program(t testing.TB) string {
	t.Helper()
	built.once.Do(func() {
		dir, err := os.MkdirTemp("", "passbook-program-")
		if err != nil {
			built.err = err
			return
		}
		built.path = filepath.Join(dir, "passbook")
		args := []string{"build", "-ldflags=-s -w", "-o", built.path} // without what debuggers want: half the time
		if raceEnabled {
			args = append(args, "-race")
		}
		build := exec.Command("go", append(args, "./cmd/passbook")...)
		build.Dir = root(t)
		if out, err := build.CombinedOutput(); err != nil {
			built.err = fmt.Errorf("%w: %s", err, out)
		}
	})
	if built.err != nil {
		t.Fatalf("build passbook: %v", built.err)
	}
	return built.path
}

// Cleanup removes the program again; TestMain calls it after the tests.
func Cleanup() {
	if built.path != "" {
		_ = os.RemoveAll(filepath.Dir(built.path)) // a folder of the system's own for such things
	}
}

// Passbook is a running passbook process.
type Passbook struct {
	// Command, Query, Notify and Ops are base URLs, Broker is host:port; empty for
	// what the process does not run.
	Command, Query, Notify, Ops, Broker string

	t      testing.TB
	cmd    *exec.Cmd
	ended  chan struct{}
	err    error
	mu     sync.Mutex
	output strings.Builder
}

// Start runs "passbook serve" on a data folder, on ports that the system
// chooses, and returns once it listens. args are added, and win. It is stopped
// with the test if it still runs.
func Start(t testing.TB, data string, args ...string) *Passbook {
	t.Helper()
	p, err := launch(t, data, args)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if p.Running() {
			p.Stop()
		}
	})
	return p
}

func launch(t testing.TB, data string, args []string) (*Passbook, error) {
	t.Helper()
	all := append([]string{
		"serve", "--data", data, "--command-addr", "127.0.0.1:0", "--query-addr", "127.0.0.1:0", "--notify-addr", "127.0.0.1:0",
		"--broker", "embedded:127.0.0.1:0",
	}, args...)
	p := &Passbook{t: t, cmd: exec.Command(Program(t), all...), ended: make(chan struct{})}
	p.cmd.Env = environment()
	stderr, err := p.cmd.StderrPipe()
	if err != nil {
		return nil, fmt.Errorf("start passbook: %w", err)
	}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start passbook: %w", err)
	}
	up := make(chan struct{})
	go p.follow(stderr, up)
	select {
	case <-up:
		return p, nil
	case <-p.ended:
		return p, fmt.Errorf("passbook ended at start: %w\n%s", p.err, p.Output())
	case <-time.After(patience):
		_ = p.cmd.Process.Kill()
		return p, fmt.Errorf("passbook does not come up\n%s", p.Output())
	}
}

// environment is this process's, less the settings of a passbook.
func environment() []string {
	var kept []string
	for _, entry := range os.Environ() {
		if !strings.HasPrefix(entry, "PASSBOOK_") {
			kept = append(kept, entry)
		}
	}
	return kept
}

// follow reads the log until the process ends, and closes up when it tells
// where it listens.
func (p *Passbook) follow(stderr io.Reader, up chan<- struct{}) {
	lines := bufio.NewScanner(stderr)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		p.mu.Lock()
		p.output.Write(lines.Bytes())
		p.output.WriteByte('\n')
		p.mu.Unlock()
		var line struct {
			Msg       string
			Addresses map[string]string
		}
		if json.Unmarshal(lines.Bytes(), &line) == nil && line.Msg == "passbook is up" {
			p.Command, p.Query = line.Addresses["command"], line.Addresses["query"]
			p.Notify, p.Ops = line.Addresses["notify"], line.Addresses["ops"]
			p.Broker = strings.TrimPrefix(line.Addresses["broker"], "kafka://")
			close(up)
		}
	}
	p.err = p.cmd.Wait()
	close(p.ended)
}

// Output returns what the process has logged so far.
func (p *Passbook) Output() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.output.String()
}

// Running tells whether the process has not ended.
func (p *Passbook) Running() bool {
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

// Kill ends the process as a power cut would, as far as it can tell.
func (p *Passbook) Kill() {
	p.t.Helper()
	if err := p.cmd.Process.Kill(); err != nil {
		p.t.Fatalf("kill -9: %v", err)
	}
	<-p.ended
	// By its exit code the race detector tells only of a process that ends by itself.
	if strings.Contains(p.Output(), "WARNING: DATA RACE") {
		p.t.Fatalf("a data race, before kill -9\n%s", p.Output())
	}
}

// Pause has the process do nothing until Resume; its connections stay open.
func (p *Passbook) Pause() { p.signal(syscall.SIGSTOP) }

// Resume has the process go on.
func (p *Passbook) Resume() { p.signal(syscall.SIGCONT) }

func (p *Passbook) signal(signal syscall.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(signal); err != nil {
		p.t.Fatalf("%s: %v", signal, err)
	}
}

// Stop ends the process in order, and fails the test if that does not work.
func (p *Passbook) Stop() {
	p.t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Fatalf("SIGTERM: %v", err)
	}
	select {
	case <-p.ended:
	case <-time.After(patience):
		_ = p.cmd.Process.Kill()
		p.t.Fatalf("passbook does not stop\n%s", p.Output())
	}
	if p.err != nil {
		p.t.Fatalf("passbook ended with %v\n%s", p.err, p.Output())
	}
}

// AwaitReady waits until the process says that it is ready, at each address
// that it has.
func (p *Passbook) AwaitReady(ctx context.Context) {
	p.t.Helper()
	for _, base := range []string{p.Command, p.Query, p.Notify, p.Ops} {
		if base != "" {
			p.awaitReady(ctx, base)
		}
	}
}

func (p *Passbook) awaitReady(ctx context.Context, base string) {
	p.t.Helper()
	deadline := time.Now().Add(patience)
	for {
		reasons, ready := ask(ctx, base+"/readyz")
		switch {
		case ready:
			return
		case !p.Running():
			p.t.Fatalf("passbook ended: %v\n%s", p.err, p.Output())
		case time.Now().After(deadline):
			p.t.Fatalf("%s does not become ready: %s\n%s", base, reasons, p.Output())
		}
		timer := time.NewTimer(2 * time.Millisecond)
		<-timer.C
	}
}

func ask(ctx context.Context, url string) (string, bool) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err.Error(), false
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err.Error(), false
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return err.Error(), false
	}
	return string(body), response.StatusCode == http.StatusOK
}

// Refused runs "passbook serve" where it cannot start, wants exit code 2, and
// returns what it says.
func Refused(t testing.TB, data string, args ...string) string {
	t.Helper()
	p, err := launch(t, data, args)
	if err == nil {
		p.Stop()
		t.Fatalf("passbook %v started, and should not", args)
	}
	select {
	case <-p.ended:
	case <-time.After(patience):
		t.Fatalf("passbook does not end: %v", err)
	}
	if code := p.cmd.ProcessState.ExitCode(); code != 2 {
		t.Fatalf("passbook ended with code %d, want 2\n%s", code, p.Output())
	}
	return p.Output()
}
