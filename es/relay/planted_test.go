package relay_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// scenario is a history that a test of its name tells of the real relay.
type scenario func(t *testing.T, start starter) error

// scenarios are the histories that some careless relay does not survive.
func scenarios() map[string]scenario {
	return map[string]scenario{
		"a refused record in the middle of load": func(t *testing.T, start starter) error {
			w := newWorld()
			w.store.fill(20)
			_, run := start(&mortal{world: w}, "r")
			if err := refuseOne(t, w, 7, run); err != nil {
				return err
			}
			return w.exact()
		},
		"a lost tail": func(t *testing.T, start starter) error {
			w := newWorld()
			w.store.fill(20)
			_, run := start(&mortal{world: w}, "r")
			require.NoError(t, run(t.Context()))
			w.broker.loseTail(1, 2)
			require.NoError(t, run(t.Context()))
			return w.complete()
		},
		"a lost tail and a late record behind it": func(t *testing.T, start starter) error {
			w := newWorld()
			w.store.fill(20)
			_, run := start(&mortal{world: w}, "r")
			require.NoError(t, run(t.Context()))
			records := w.broker.records(1)
			w.broker.loseTail(1, 3)
			w.broker.put(1, records[len(records)-1].Message)
			require.NoError(t, run(t.Context()))
			return w.complete()
		},
		"a topic made again": func(t *testing.T, start starter) error {
			w := newWorld()
			w.store.fill(20)
			_, run := start(&mortal{world: w}, "r")
			require.NoError(t, run(t.Context()))
			w.broker.recreate()
			require.NoError(t, run(t.Context()))
			return w.complete()
		},
		"a late relay": func(t *testing.T, start starter) error {
			w := newWorld()
			w.store.fill(20)
			_, other := start(&mortal{world: w}, "b")
			w.broker.onPublish = once(2, func() {
				w.expire()
				w.store.fill(8)
				require.NoError(t, other(t.Context()))
			})
			_, late := start(&mortal{world: w}, "a")
			_ = late(t.Context())
			w.expire()
			return w.settled(t.Context())
		},
	}
}

// TestPlantedFaults: each fault is caught by the scenario for it and by random
// histories, and what has none survives them all.
func TestPlantedFaults(t *testing.T) {
	for _, fault := range []struct {
		name     string
		relay    careless
		caughtBy string
	}{
		{"resume looks at the tail only", careless{tailOnly: true}, "a lost tail and a late record behind it"},
		{"checkpoint is a number only", careless{numberOnly: true}, "a lost tail"},
		{"checkpoint is a number only", careless{numberOnly: true}, "a topic made again"},
		{"goes on after a refused record", careless{goesOn: true}, "a refused record in the middle of load"},
	} {
		t.Run(fault.name+", "+fault.caughtBy, func(t *testing.T) {
			all := scenarios()
			require.Contains(t, all, fault.caughtBy)
			require.Error(t, all[fault.caughtBy](t, fault.relay.start), "the scenario does not notice")
			require.True(t, caughtByChance(t, fault.relay.start), "random histories do not notice")
		})
	}
	for name, scenario := range scenarios() {
		require.NoError(t, scenario(t, careless{}.start), "no fault: %s", name)
		require.NoError(t, scenario(t, sound), "the relay: %s", name)
	}
	require.False(t, caughtByChance(t, careless{}.start), "no fault")
}

// caughtByChance plays random histories until one shows a fault.
func caughtByChance(t *testing.T, start starter) bool {
	t.Helper()
	for seed := range 300 {
		quiet, noisy := steps(harmless).Example(seed), steps(append(losses, harmless...)).Example(seed)
		if play(t.Context(), quiet, start, true) != nil || play(t.Context(), noisy, start, false) != nil {
			return true
		}
	}
	return false
}
