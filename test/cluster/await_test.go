package cluster_test

import (
	"fmt"
	"testing"
	"time"
)

// patience is how long nothing at all may happen where something is to happen. It
// is no measure of speed: only a hang is to fail by it.
const patience = 5 * time.Minute

// await looks until missing returns "", and fails with what it said last when
// patience is over.
func await(t *testing.T, missing func() string) {
	t.Helper()
	awaitProgress(t, func() (int64, string) { return 0, missing() })
}

// awaitProgress is await for what takes long, and gets somewhere all the while.
func awaitProgress(t *testing.T, look func() (reached int64, missing string)) {
	t.Helper()
	var furthest int64
	for deadline := time.Now().Add(patience); ; {
		reached, missing := look()
		if missing == "" {
			return
		}
		if reached > furthest {
			furthest, deadline = reached, time.Now().Add(patience)
		}
		if time.Now().After(deadline) {
			t.Fatal(missing)
		}
		moment(20 * time.Millisecond)
	}
}

// unless says what is missing, "" if nothing is.
func unless(there bool, format string, args ...any) string {
	if there {
		return ""
	}
	return fmt.Sprintf(format, args...)
}

// moment lets a fault last, or a poll rest. Nothing is expected of its length.
func moment(d time.Duration) {
	timer := time.NewTimer(d)
	<-timer.C
}
