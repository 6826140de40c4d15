package bench

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// How long a service may take to come up, and to stop before it is killed.
const (
	serviceStart = 30 * time.Second
	serviceStop  = 12 * time.Second
)

// service is a process of the program.
type service struct {
	addresses map[string]string // by name, host:port
	cmd       *exec.Cmd
	ended     chan struct{}
	err       error // once ended
	mu        sync.Mutex
	tail      []string // last lines of the log
}

// settings are of a service, by the name of the variable without its prefix.
type settings map[string]string

// serve starts a service with settings, and returns when it listens. It is
// stopped with the bench.
func (b *bench) serve(ctx context.Context, roles string, extra settings) (*service, error) {
	all := settings{
		"ROLES": roles, "DATA": b.path("data"),
		"COMMAND_ADDR": "127.0.0.1:0", "QUERY_ADDR": "127.0.0.1:0", "NOTIFY_ADDR": "127.0.0.1:0",
		"RATE_LIMIT": "1000000", "NOTIFY_FROM_BEGINNING": "false", "LOG": "info",
		"KAFKA_STATIC_MEMBERSHIP": "off", // the groups are those of whatever else uses the brokers
		"TOPIC_PARTITIONS":        strconv.Itoa(int(b.config.Broker.Partitions)), "TOPIC_REPLICAS": strconv.Itoa(int(b.config.Broker.Replicas)),
	}
	maps.Copy(all, extra)
	return b.start(ctx, all, "serve")
}

// start starts the program with arguments, and returns when it tells where it
// listens.
func (b *bench) start(ctx context.Context, set settings, args ...string) (*service, error) {
	s := &service{cmd: exec.Command(b.config.Program, args...), ended: make(chan struct{})} //nolint:gosec,noctx // the program itself; it is stopped in order, by stop
	s.cmd.Env = environment(b.config.Environment, set)
	log, err := s.cmd.StderrPipe()
	if err != nil {
		return nil, fmt.Errorf("start a service: %w", err)
	}
	if err := s.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start a service: %w", err)
	}
	b.defers(func(context.Context) error { return s.stop() })
	up := make(chan struct{})
	go s.follow(log, up)
	timer := time.NewTimer(serviceStart)
	defer timer.Stop()
	select {
	case <-up:
		return s, nil
	case <-s.ended:
		return nil, fmt.Errorf("a service (%s) ended at its start: %w: %s", set["ROLES"], s.fate(), s.said())
	case <-timer.C:
		return nil, fmt.Errorf("a service (%s) does not come up within %s: %s", set["ROLES"], serviceStart, s.said())
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// environment is this process's without the settings of passbook, and with
// others: a bench must not meet what is configured for real.
func environment(more []string, set settings) []string {
	env := slices.DeleteFunc(os.Environ(), func(entry string) bool { return strings.HasPrefix(entry, "PASSBOOK_") })
	env = append(env, more...)
	for _, name := range slices.Sorted(maps.Keys(set)) {
		env = append(env, "PASSBOOK_"+name+"="+set[name])
	}
	return env
}

// tailLines is how much of a service's log is kept for when it fails.
const tailLines = 5

// follow reads the log until the process ends, and closes up when it tells
// where it listens.
func (s *service) follow(log io.Reader, up chan<- struct{}) {
	lines := bufio.NewScanner(log)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var line struct {
			Msg       string            `json:"msg"`
			Addresses map[string]string `json:"addresses"`
		}
		if json.Unmarshal(lines.Bytes(), &line) == nil && line.Msg == upMessage && s.addresses == nil {
			s.addresses = make(map[string]string)
			for name, url := range line.Addresses {
				_, s.addresses[name], _ = strings.Cut(url, "://")
			}
			close(up)
			continue
		}
		s.mu.Lock()
		s.tail = append(s.tail, lines.Text())
		s.tail = s.tail[max(0, len(s.tail)-tailLines):]
		s.mu.Unlock()
	}
	s.err = s.cmd.Wait()
	close(s.ended)
}

// upMessage is the line by which a service tells that it listens.
const upMessage = "passbook is up"

func (s *service) said() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.tail, "; ")
}

var errEnded = errors.New("exit code 0")

// fate is why a service that has ended did so.
func (s *service) fate() error {
	if s.err != nil {
		return s.err
	}
	return errEnded
}

// stop ends the process, and returns when it has ended.
func (s *service) stop() error {
	select {
	case <-s.ended:
		return nil // it has told the one who uses it
	default:
	}
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stop a service: %w", err)
	}
	timer := time.NewTimer(serviceStop)
	defer timer.Stop()
	select {
	case <-s.ended:
		return nil
	case <-timer.C:
	}
	if err := s.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("kill a service: %w", err)
	}
	<-s.ended
	return nil
}
