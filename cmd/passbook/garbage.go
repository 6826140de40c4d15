package main

import (
	"context"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// A service keeps little in memory and makes a lot of garbage: with Go's own
// setting, a collection whenever the heap has doubled, that heap is a few dozen
// megabytes, and an eighth of the service's time goes into collections. So garbage
// may come to garbagePercentMax of what is alive, as long as that is not more than
// garbageFree; with more alive than that it is as Go has it. The process takes the
// memory of one with GOGC=100, or garbageFree beside what is alive, whichever is more.
const (
	garbagePercentMin = 100
	garbagePercentMax = 400
	garbageFree       = 256 << 20
	garbageInterval   = time.Second
)

// garbagePercent is the setting for so many bytes that are alive.
func garbagePercent(live uint64) int {
	return int(min(max(garbageFree*100/max(live, 1), garbagePercentMin), garbagePercentMax))
}

// tuneGarbage keeps the setting right until ctx ends. Where the operator has set
// GOGC it is his; GOMEMLIMIT holds beside both.
func tuneGarbage(ctx context.Context) error {
	if os.Getenv("GOGC") != "" {
		<-ctx.Done()
		return nil
	}
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	look := time.NewTicker(garbageInterval)
	defer look.Stop()
	for set := 0; ; {
		metrics.Read(live)
		if percent := garbagePercent(live[0].Value.Uint64()); percent != set {
			debug.SetGCPercent(percent)
			set = percent
		}
		select {
		case <-look.C:
		case <-ctx.Done():
			return nil
		}
	}
}
