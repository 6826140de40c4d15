package cluster_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// told is a ledger of three commands and the feed that belongs to it: opened
// with 10, 5 more, 20 refused, 15 withdrawn.
func told(t *testing.T) (*ledger, *feed) {
	t.Helper()
	l, f := newLedger("a"), &feed{streams: make(map[string][]fact)}
	for version, m := range []movement{{"k0", 10, 10, 1}, {"k1", 5, 15, 3}, {"k2", -15, 0, 4}} {
		require.NoError(t, l.note(int64(version), m))
		f.streams["a"] = append(f.streams["a"], fact{id: m.key, movement: m})
	}
	l.noteRefusal(refusal{cents: 20, since: 0})
	return l, f
}

// TestJudge: whoever judges has to see what is wrong.
func TestJudge(t *testing.T) {
	l, f := told(t)
	require.NoError(t, f.hold(l))
	for name, c := range map[string]struct {
		spoil func(l *ledger, events []fact) []fact
		want  string
	}{
		"an acknowledged command is lost": {
			func(_ *ledger, events []fact) []fact { return events[:2] }, "3 commands were acknowledged, 2 events are there",
		},
		"a command is done twice": {
			func(_ *ledger, events []fact) []fact {
				return append(events, fact{"x", movement{"k1", 5, 5, 5}})
			}, "acknowledged was {key: cents:0",
		},
		"a command is done and acknowledged twice": {
			func(l *ledger, events []fact) []fact {
				l.acked[3] = movement{"k1", 5, 5, 5}
				return append(events, fact{"x", movement{"k1", 5, 5, 5}})
			}, "was done at versions 1 and 3",
		},
		"an amount was changed": {
			func(_ *ledger, events []fact) []fact { events[1].movement.cents++; return events }, "version 1: the event is",
		},
		"an event lies at another position than was said": {
			func(_ *ledger, events []fact) []fact { events[1].movement.position++; return events }, "version 1: the event is",
		},
		"two have changed places": {
			func(_ *ledger, events []fact) []fact { events[1], events[2] = events[2], events[1]; return events }, "version 1: the event is",
		},
		"money comes from nowhere": {
			func(l *ledger, events []fact) []fact {
				l.acked[1], events[1].movement.balance = movement{"k1", 5, 16, 3}, 16
				return events
			}, "version 1: balance 15, it says 16",
		},
		"a refusal was wrong": {
			func(l *ledger, events []fact) []fact {
				l.refusals = []refusal{{cents: 10, since: 0}}
				l.acked[2] = movement{"k2", 15, 30, 4}
				return append(events[:2], fact{"k2", l.acked[2]})
			}, "were refused although",
		},
	} {
		t.Run(name, func(t *testing.T) {
			l, f := told(t)
			f.streams["a"] = c.spoil(l, f.streams["a"])
			require.ErrorContains(t, f.hold(l), c.want)
		})
	}
}

// TestLedger: one version belongs to one command.
func TestLedger(t *testing.T) {
	l, _ := told(t)
	require.NoError(t, l.note(1, movement{"k1", 5, 15, 3}), "the same answer again")
	require.Error(t, l.note(1, movement{"k3", 5, 15, 3}))
	version, balance := l.end()
	require.Equal(t, int64(2), version)
	require.Zero(t, balance)
}

func TestMoney(t *testing.T) {
	require.Equal(t, int64(123456), money{"1234.56", "EUR"}.cents())
	require.Equal(t, int64(5), money{"0.05", "EUR"}.cents())
	for _, wrong := range []money{{"1.5", "EUR"}, {"1.50", "USD"}, {"", ""}, {"x", "EUR"}, {"1.505", "EUR"}} {
		require.Equal(t, int64(-1), wrong.cents(), wrong.Amount)
	}
}
