package checkpointtest

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/stretchr/testify/require"

	"passbook/es/checkpoint"
)

func modelCases() []Case {
	return []Case{{Name: "random steps", run: modelSteps}}
}

// model is what a store has to answer as long as no lease runs out of time.
type model struct {
	current  checkpoint.Lease // the lease that is good; no Holder when there is none
	progress []checkpoint.Progress
	given    []checkpoint.Lease
}

func modelSteps(s *scene) {
	const steps = 400
	seed := uint64(time.Now().UnixNano())
	random := rand.New(rand.NewPCG(seed, 0))
	m := &model{given: []checkpoint.Lease{{Name: reader, Holder: "a"}}}
	for step := range steps {
		what := m.step(s, random)
		require.Equal(s, m.progress, s.load(reader), "seed %d, step %d: after %s", seed, step, what)
	}
}

// step does one thing to store and model, and compares the answers.
func (m *model) step(s *scene, random *rand.Rand) string {
	s.Helper()
	lease := m.given[random.IntN(len(m.given))]
	if random.IntN(2) == 0 {
		lease = m.given[len(m.given)-1]
	}
	good := lease.Holder == m.current.Holder && lease.Fence == m.current.Fence
	switch random.IntN(5) {
	case 0:
		return m.acquire(s, string(rune('a'+random.IntN(3))))
	case 1:
		m.agree(s, good, s.store.Renew(s.ctx, lease, long), "renew", lease)
		return "renew"
	case 2:
		s.release(lease)
		if good {
			m.current = checkpoint.Lease{}
		}
		return "release"
	default:
		var progress []checkpoint.Progress
		for p := range random.Int32N(4) {
			progress = append(progress, at(p, random.Int64N(1000)))
		}
		m.agree(s, good, s.store.Save(s.ctx, lease, progress), "save", lease)
		if good {
			m.progress = progress
		}
		return "save"
	}
}

func (m *model) acquire(s *scene, holder string) string {
	s.Helper()
	lease, err := s.store.Acquire(s.ctx, reader, holder, long)
	if m.current.Holder != "" && m.current.Holder != holder {
		require.ErrorIs(s, err, checkpoint.ErrHeld, "acquire for %s, held by %+v", holder, m.current)
		return "acquire in vain"
	}
	require.NoError(s, err, "acquire for %s", holder)
	require.Greater(s, lease.Fence, m.given[len(m.given)-1].Fence, "the fence grows")
	m.current = lease
	m.given = append(m.given, lease)
	return fmt.Sprintf("acquire for %s", holder)
}

func (m *model) agree(s *scene, good bool, err error, what string, lease checkpoint.Lease) {
	s.Helper()
	if good {
		require.NoError(s, err, "%s with %+v", what, lease)
		return
	}
	require.ErrorIs(s, err, checkpoint.ErrLost, "%s with %+v, which is lost: %v", what, lease, err)
}
