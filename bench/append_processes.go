package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"passbook/bench/load"
)

// besides is how long the figures beside take.
func (appendBench) besides(b *bench) time.Duration {
	return time.Duration(len(b.config.Processes)) * b.config.Duration
}

// processes appends to one store from several processes, once for each number of
// them.
func (appendBench) processes(ctx context.Context, b *bench) ([]Figure, error) {
	var figures []Figure
	for _, n := range b.config.Processes {
		setting := b.newEventStore()
		engine, _, err := openEventStore(ctx, setting) // makes the indexes, so that none of them waits for that
		if err != nil {
			return nil, err
		}
		if err := engine.Close(); err != nil {
			return nil, fmt.Errorf("close the event store: %w", err)
		}
		outcome, err := b.measure(ctx, func(ctx context.Context, d time.Duration) (load.Outcome, error) {
			return b.appendTogether(ctx, setting, n, d)
		}, b.config.Duration)
		if err != nil {
			return nil, err
		}
		figures = append(figures, rate(fmt.Sprintf("%d processes", n), "events/s", outcome))
	}
	return figures, nil
}

// appendTogether has n processes append to a store, and adds up what they did.
func (b *bench) appendTogether(ctx context.Context, setting string, n int, d time.Duration) (load.Outcome, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	sum := load.Outcome{Latency: load.NewLatency()}
	var mu sync.Mutex
	var children sync.WaitGroup
	for range n {
		children.Go(func() {
			one, err := b.appendApart(ctx, setting, d)
			if err != nil {
				cancel(err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			sum.Done += one.Done
			sum.Elapsed = max(sum.Elapsed, one.Elapsed)
			sum.Latency.Merge(one.Latency)
		})
	}
	children.Wait()
	return sum, context.Cause(ctx)
}

// appendApart has another process append to a store.
func (b *bench) appendApart(ctx context.Context, setting string, d time.Duration) (outcome load.Outcome, err error) {
	child := exec.CommandContext(ctx, b.config.Program, "bench", "append", "--join", //nolint:gosec // the program itself
		"--duration", d.String(), "--callers", strconv.Itoa(b.config.Callers))
	child.Env = environment(nil, settings{"EVENT_STORE": setting})
	child.Cancel = func() error { return child.Process.Signal(syscall.SIGTERM) }
	child.WaitDelay = serviceStop
	var stdout, stderr bytes.Buffer
	child.Stdout, child.Stderr = &stdout, &stderr
	if err := child.Run(); err != nil {
		return outcome, fmt.Errorf("a process that appends: %w: %s", err, strings.TrimSpace(stderr.String()))
	}
	if err := json.Unmarshal(stdout.Bytes(), (*told)(&outcome)); err != nil {
		return outcome, fmt.Errorf("a process that appends: %w", err)
	}
	return outcome, nil
}

// told is an outcome as one process tells another.
type told load.Outcome

type toldForm struct {
	Done    int64         `json:"done"`
	Elapsed time.Duration `json:"elapsed_ns"`
	Latency []byte        `json:"latency"`
}

// MarshalJSON implements [json.Marshaler].
func (t *told) MarshalJSON() ([]byte, error) {
	latency, err := t.Latency.MarshalBinary()
	if err != nil {
		return nil, fmt.Errorf("tell an outcome: %w", err)
	}
	return json.Marshal(toldForm{t.Done, t.Elapsed, latency})
}

// UnmarshalJSON implements [json.Unmarshaler].
func (t *told) UnmarshalJSON(data []byte) error {
	var form toldForm
	if err := json.Unmarshal(data, &form); err != nil {
		return fmt.Errorf("read an outcome: %w", err)
	}
	t.Done, t.Elapsed, t.Latency = form.Done, form.Elapsed, load.NewLatency()
	return t.Latency.UnmarshalBinary(form.Latency)
}

// Join appends to the event store that another process has made for a bench, and
// returns what came of it for that one to read.
func Join(ctx context.Context, setting string, callers int, d time.Duration) (json.Marshaler, error) {
	if !strings.Contains(setting, Prefix) {
		return nil, errors.New("--join: PASSBOOK_EVENT_STORE (--event-store) names no store of a bench")
	}
	store, err := openAppending(ctx, setting, callers)
	if err != nil {
		return nil, err
	}
	defer store.close()
	outcome, err := store.run(ctx, d)
	return (*told)(&outcome), err
}
