package main

import (
	"fmt"
	"io"
	"log/slog"
	"os"

	"github.com/mattn/go-isatty"
)

// newLogger logs for people where out is a terminal and as JSON elsewhere.
func newLogger(out io.Writer, level string) (*slog.Logger, error) {
	var threshold slog.Level
	if err := threshold.UnmarshalText([]byte(level)); err != nil {
		return nil, fmt.Errorf("PASSBOOK_LOG (--log): %q is no level: want debug, info, warn or error", level)
	}
	options := &slog.HandlerOptions{Level: threshold}
	if file, ok := out.(*os.File); ok && isatty.IsTerminal(file.Fd()) {
		return slog.New(slog.NewTextHandler(out, options)), nil
	}
	return slog.New(slog.NewJSONHandler(out, options)), nil
}
