package checkpointtest

import (
	"context"

	"github.com/stretchr/testify/require"

	"passbook/es/checkpoint"
)

func leaseCases() []Case {
	return []Case{
		{Name: "held by one", run: leaseHeldByOne},
		{Name: "names are apart", run: leaseNamesAreApart},
		{Name: "its holder gets it again, with a new fence", run: leaseAgain},
		{Name: "a renewed one is the same", run: leaseRenewed},
		{Name: "given back is free at once", run: leaseGivenBack},
		{Name: "given back is lost", run: leaseGivenBackIsLost},
		{Name: "a lost one can not be given back", run: leaseLostIsLeftAlone},
		{Name: "one that never was is lost", run: leaseNeverWas},
		{Name: "a call whose context has ended does nothing", run: leaseContextEnded},
		{Name: "outlives the store's closing", reopens: true, run: leaseReopened},
	}
}

func leaseHeldByOne(s *scene) {
	a := s.acquire("a", long)
	s.held("b")
	s.save(a, at(0, 1))
	s.renew(a)
	s.held("b")
}

func leaseNamesAreApart(s *scene) {
	a := s.acquire("a", long)
	other, err := s.store.Acquire(s.ctx, "other", "b", long)
	require.NoError(s, err)
	s.save(other, at(0, 7))
	require.Empty(s, s.load(reader))
	s.release(other)
	s.renew(a)
	s.held("b")
}

func leaseAgain(s *scene) {
	first := s.acquire("a", long)
	second := s.acquire("a", long)
	require.Greater(s, second.Fence, first.Fence)
	s.lost(first)
	s.save(second, at(0, 1))
	s.held("b")
}

func leaseRenewed(s *scene) {
	a := s.acquire("a", long)
	s.renew(a)
	s.renew(a)
	s.save(a, at(0, 1))
	s.held("b")
}

func leaseGivenBack(s *scene) {
	a := s.acquire("a", long)
	s.release(a)
	b := s.acquire("b", long)
	require.Greater(s, b.Fence, a.Fence)
	s.release(b)
	again := s.acquire("a", long)
	require.Greater(s, again.Fence, b.Fence)
}

func leaseGivenBackIsLost(s *scene) {
	a := s.acquire("a", long)
	s.save(a, at(0, 1))
	s.release(a)
	s.lost(a)
}

func leaseLostIsLeftAlone(s *scene) {
	a := s.acquire("a", long)
	s.release(a)
	b := s.acquire("b", long)
	s.release(a)
	s.held("a")
	s.save(b, at(0, 1))
	s.lost(a)
}

func leaseNeverWas(s *scene) {
	s.lost(checkpoint.Lease{Name: reader, Holder: "a"})
	s.lost(checkpoint.Lease{Name: reader, Holder: "a", Fence: 1})
	a := s.acquire("a", long)
	s.lost(checkpoint.Lease{Name: reader, Holder: "a", Fence: a.Fence + 1})
	s.renew(a)
}

func leaseContextEnded(s *scene) {
	a := s.acquire("a", long)
	s.save(a, at(0, 1))
	ended, cancel := context.WithCancel(s.ctx)
	cancel()
	_, err := s.store.Acquire(ended, "other", "b", long)
	require.ErrorIs(s, err, context.Canceled)
	require.ErrorIs(s, s.store.Renew(ended, a, long), context.Canceled)
	require.ErrorIs(s, s.store.Release(ended, a), context.Canceled)
	require.ErrorIs(s, s.store.Save(ended, a, nil), context.Canceled)
	_, err = s.store.Load(ended, reader)
	require.ErrorIs(s, err, context.Canceled)
	s.renew(a)
	require.Equal(s, []checkpoint.Progress{at(0, 1)}, s.load(reader))
}

func leaseReopened(s *scene) {
	a := s.acquire("a", long)
	s.reopen()
	s.held("b")
	s.renew(a)
	s.release(a)
	s.reopen()
	s.lost(a)
	b := s.acquire("b", long)
	require.Greater(s, b.Fence, a.Fence)
}
