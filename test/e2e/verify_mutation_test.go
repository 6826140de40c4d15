package e2e_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"passbook/es/event"
	"passbook/es/verify"
	"passbook/internal/testenv"
)

// mutation is one change of a system at rest, which a comparison has to find.
type mutation struct {
	// text says what was done.
	text string
	// stream and version are what some difference has to name. A checkpoint is
	// named by its partition.
	stream    string
	version   int64
	partition int32
	place     verify.Place // empty: any
	// kind is that of the difference which names it, only are those that any
	// difference has; empty: any.
	kind verify.Kind
	only []verify.Kind
	// most bounds how many differences may come of it: one altered thing is not
	// to make everything behind it look wrong.
	most int64
}

// mutate is a kind of mutation.
type mutate func(t *testing.T, rng *rand.Rand, w *whole) mutation

// ofEvent expects a difference about an event.
func ofEvent(e event.Envelope, place verify.Place, most int64, format string, args ...any) mutation {
	return mutation{
		text: fmt.Sprintf(format, args...), stream: e.Stream, version: e.Version, partition: -1, place: place, most: most,
	}
}

// as says what the difference is, and what else may come of it.
func (m mutation) as(kind verify.Kind, others ...verify.Kind) mutation {
	m.kind, m.only = kind, append([]verify.Kind{kind}, others...)
	return m
}

func (m mutation) isNamedBy(d verify.Difference) bool {
	switch {
	case m.place != "" && d.Place != m.place, m.kind != "" && d.Kind != m.kind:
		return false
	case m.partition >= 0:
		return d.Record != nil && d.Record.Partition == m.partition
	}
	return d.Stream == m.stream && d.Version == m.version
}

// TestVerify_FindsMutations makes one random change to a whole system, again and
// again: each is found, and named.
func TestVerify_FindsMutations(t *testing.T) {
	t.Parallel()
	g := newGround(t)
	kinds := make(map[string]mutate)
	for _, some := range []map[string]mutate{feedMutations(), rowMutations(), entryMutations(), storeMutations(), checkpointMutations()} {
		maps.Copy(kinds, some)
	}
	names := slices.Sorted(maps.Keys(kinds))
	counts := make(map[string]int)
	cases := rounds(t, 60)
	if !testenv.Race() {
		cases = max(cases, len(names))
	}
	var base *whole
	for i := range cases {
		rng := rand.New(rand.NewPCG(uint64(i), 42))
		if i%50 == 0 {
			base = newWhole(t, g, rng, shape{events: 100 + rng.IntN(100)})
			require.True(t, base.verify(t).Agree())
		}
		name := names[i%len(names)]
		w := base.copy(t)
		m := kinds[name](t, rng, w)
		r := w.verify(t)
		require.True(t, slices.ContainsFunc(r.Differences, m.isNamedBy),
			"round %d, %s: %s: stream %s version %d partition %d is not named by %q",
			i, name, m.text, m.stream, m.version, m.partition, lines(r))
		for _, d := range r.Differences {
			require.True(t, len(m.only) == 0 || slices.Contains(m.only, d.Kind), "round %d, %s: %s: %s", i, name, m.text, d)
		}
		require.LessOrEqual(t, r.Found, m.most, "round %d, %s: %s: %q", i, name, m.text, lines(r))
		counts[name]++
	}
	for _, name := range names {
		t.Logf("%4d x %s", counts[name], name)
	}
}

// anEvent chooses one.
func (w *whole) anEvent(rng *rand.Rand) event.Envelope { return w.events[rng.IntN(len(w.events))] }

// behind returns how many events a stream has from that one on.
func (w *whole) behind(e event.Envelope) (n int64) {
	for _, other := range w.events {
		if other.Stream == e.Stream && other.Version >= e.Version {
			n++
		}
	}
	return n
}

// last returns a stream's last event.
func (w *whole) last(stream string) (last event.Envelope) {
	for _, e := range w.events {
		if e.Stream == stream {
			last = e
		}
	}
	return last
}
