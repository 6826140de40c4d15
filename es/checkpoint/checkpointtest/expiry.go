package checkpointtest

import (
	"time"

	"github.com/stretchr/testify/require"

	"passbook/es/checkpoint"
)

func expiryCases() []Case {
	return []Case{
		{Name: "makes it free", run: expiryFrees},
		{Name: "leaves it usable until another took it", run: expiryLeavesUsable},
		{Name: "and another took it: lost", run: expiryTaken},
		{Name: "a renewed one lives on", run: expiryRenewed},
		{Name: "renewing may shorten it", run: expiryShortened},
		{Name: "less than a millisecond is a time", run: expiryTiny},
	}
}

func expiryFrees(s *scene) {
	a := s.acquire("a", short)
	s.pass(2 * short)
	b := s.acquire("b", long)
	require.Greater(s, b.Fence, a.Fence)
	s.held("a")
}

func expiryLeavesUsable(s *scene) {
	a := s.acquire("a", short)
	s.pass(2 * short)
	s.save(a, at(0, 1))
	s.renew(a)
	s.held("b")
}

func expiryTaken(s *scene) {
	a := s.acquire("a", short)
	s.save(a, at(0, 1))
	s.pass(2 * short)
	b := s.acquire("b", long)
	s.lost(a)
	s.held("a")
	s.save(b, at(0, 2))
	s.lost(a)
	require.Equal(s, []checkpoint.Progress{at(0, 2)}, s.load(reader))
}

func expiryRenewed(s *scene) {
	a := s.acquire("a", short)
	s.renew(a)
	s.pass(2 * short)
	s.held("b")
	s.save(a, at(0, 1))
}

func expiryShortened(s *scene) {
	a := s.acquire("a", long)
	require.NoError(s, s.store.Renew(s.ctx, a, short))
	s.pass(2 * short)
	s.acquire("b", long)
	s.lost(a)
}

func expiryTiny(s *scene) {
	a := s.acquire("a", time.Nanosecond)
	s.save(a, at(0, 1))
	s.pass(short)
	s.acquire("b", long)
}
