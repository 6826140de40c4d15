package mongodb_test

import (
	"context"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// longer multiplies what a random test does, by a number that the environment
// may give: each of these tests is worth its time after a change to the appends.
func longer(t testing.TB, n int) int {
	t.Helper()
	factor := os.Getenv("PASSBOOK_TEST_LONGER")
	if factor == "" {
		return n
	}
	times, err := strconv.Atoi(factor)
	require.NoError(t, err, "PASSBOOK_TEST_LONGER: want a number")
	return n * times
}

// TestFailover takes the primary away under load, by death, by a long pause and
// by its own will, again and again. What was acknowledged stays where it is, what
// was refused is not there, no reader sees anything but that.
func TestFailover(t *testing.T) {
	for _, test := range []struct {
		name      string
		eventsMax int
	}{{"single events", 1}, {"transactions", 3}} {
		t.Run(test.name, func(t *testing.T) {
			c := newCluster(t)
			r := roomOn(t, c.url())
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			ledgers := []*ledger{newLedger(), newLedger()}
			follower := follow(ctx, t, r.url)
			var waits []func()
			for _, l := range ledgers {
				waits = append(waits, startWriter(ctx, t, r.url, 8, writer{streams: 20, eventsMax: test.eventsMax, ledger: l}))
			}
			for round := range longer(t, 4) {
				awaitMore(t, ledgers, 100)
				t.Logf("round %d: acknowledged %d and %d", round, ledgers[0].count(), ledgers[1].count())
				c.disturb(round)
			}
			awaitMore(t, ledgers, 100)
			stop()
			for _, wait := range waits {
				wait()
			}
			all := readAll(t, r.open(t))
			follower(all)
			for _, l := range ledgers {
				l.compare(t, all)
			}
		})
	}
}

// disturb takes the primary away in one of three ways, and brings it back as a
// secondary.
func (c *cluster) disturb(round int) {
	c.t.Helper()
	primary := c.primary()
	switch round % 3 {
	case 0:
		c.kill(primary)
		c.primary() // another
		c.start(primary)
	case 1:
		_ = primary.stepDown() // it may be too late for that already
	case 2:
		resume := c.pause(primary)
		c.otherPrimary(primary)
		resume()
	}
}

// otherPrimary waits until a member other than one that does not answer is the
// primary.
func (c *cluster) otherPrimary(paused *member) {
	c.t.Helper()
	rest := &cluster{t: c.t}
	for _, m := range c.members {
		if m != paused {
			rest.members = append(rest.members, m)
		}
	}
	rest.primary()
}

// awaitMore waits until every writer has appended so many events more.
func awaitMore(t testing.TB, ledgers []*ledger, more int) {
	t.Helper()
	for _, l := range ledgers {
		from := l.count()
		require.Eventually(t, func() bool { return l.count() >= from+more }, 2*time.Minute, 10*time.Millisecond,
			"a writer does not come back")
	}
}
