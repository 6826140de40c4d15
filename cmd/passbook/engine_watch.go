package main

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// How often, and how patiently, an engine is asked whether it is there.
const (
	watchInterval = time.Second
	watchPatience = 3 * time.Second
)

// watch says once when an engine is lost and once when it is back.
func (p *process) watch(ctx context.Context, s *service, ping func(context.Context) error) error {
	ticker := time.NewTicker(watchInterval)
	defer ticker.Stop()
	for lost := false; ; {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		asking, cancel := context.WithTimeout(ctx, watchPatience)
		err := ping(asking)
		cancel()
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil && !lost:
			p.log.Warn(s.engine+" is lost: it is tried until it is back", "at", s.at.String(), "error", oneLine(err))
		case err == nil && lost:
			p.log.Info(s.engine+" is back", "at", s.at.String())
		}
		lost = err != nil
	}
}

// engineState is the readiness of an engine. Safe for concurrent use.
type engineState struct {
	mu   sync.Mutex
	err  error
	ping func(context.Context) error // nil: it was not reached yet
}

func (e *engineState) lost(err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.err = fmt.Errorf("it cannot be reached: %s", oneLine(err))
}

func (e *engineState) found(ping func(context.Context) error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.ping = ping
}

func (e *engineState) check(ctx context.Context) error {
	e.mu.Lock()
	ping, err := e.ping, e.err
	e.mu.Unlock()
	if ping == nil {
		return err
	}
	return ping(ctx)
}
