package main

import (
	"context"
	"runtime/debug"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestGarbagePercent(t *testing.T) {
	t.Parallel()
	for live, percent := range map[uint64]int{
		0: 400, 1 << 20: 400, 64 << 20: 400, 100 << 20: 256, 128 << 20: 200, 256 << 20: 100, 257 << 20: 100, 8 << 30: 100,
	} {
		require.Equal(t, percent, garbagePercent(live), "%d MiB are alive", live>>20)
	}
}

// The setting is the whole process's: nothing runs beside this.
func TestTuneGarbage(t *testing.T) {
	for gogc, want := range map[string]int{"": garbagePercentMax, "100": 77} {
		t.Setenv("GOGC", gogc)
		before := debug.SetGCPercent(77)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- tuneGarbage(ctx) }()
		if gogc == "" {
			require.Eventually(t, func() bool {
				now := debug.SetGCPercent(77)
				debug.SetGCPercent(now)
				return now == want
			}, 10*time.Second, time.Millisecond)
		}
		cancel()
		require.NoError(t, <-ended)
		require.Equal(t, want, debug.SetGCPercent(before), "GOGC is %q", gogc)
	}
}
