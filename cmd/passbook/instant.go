package main

import (
	"fmt"
	"time"
)

// instant is a moment as people type it.
type instant struct{ time.Time }

// UnmarshalText takes RFC 3339, the form in which this program prints times, and
// a date, which stands for its first moment in UTC.
func (i *instant) UnmarshalText(text []byte) error {
	for _, layout := range []string{time.RFC3339Nano, instantLayout, time.DateOnly} {
		if t, err := time.Parse(layout, string(text)); err == nil {
			i.Time = t
			return nil
		}
	}
	return fmt.Errorf("%q is no time: want 2026-01-31, or 2026-01-31T12:00:00Z", text)
}

// instantLayout is in UTC, so that a time can be compared with a log's, and typed
// in again, wherever it is read.
const instantLayout = "2006-01-02 15:04:05Z"

func showTime(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format(instantLayout)
}
