package broker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"github.com/twmb/franz-go/pkg/kfake"
)

// serverLog passes kfake's messages to slog. What kfake says at its info level, members joining and connections ending,
// is of use only to somebody who looks for a fault, so it is debug here.
type serverLog struct {
	log *slog.Logger

	mu      sync.Mutex
	errs    []error
	collect bool
}

// Logf implements kfake.Logger.
func (l *serverLog) Logf(level kfake.LogLevel, format string, args ...any) {
	to := slog.LevelDebug
	switch level {
	case kfake.LogLevelError:
		to = slog.LevelError
		l.keep(fmt.Errorf(format, args...))
	case kfake.LogLevelWarn:
		to = slog.LevelWarn
	case kfake.LogLevelNone, kfake.LogLevelInfo, kfake.LogLevelDebug:
	}
	if l.log.Enabled(context.Background(), to) {
		l.log.Log(context.Background(), to, "kafka server: "+fmt.Sprintf(format, args...))
	}
}

func (l *serverLog) keep(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.collect {
		l.errs = append(l.errs, err)
	}
}

// during runs stop and returns the errors that kfake meanwhile logged: its Close returns none, and a state that could
// not be saved must not look like a clean stop.
func (l *serverLog) during(stop func()) error {
	l.mu.Lock()
	l.collect = true
	l.mu.Unlock()
	stop()
	l.mu.Lock()
	defer l.mu.Unlock()
	return errors.Join(l.errs...)
}
