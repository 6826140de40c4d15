// Package eventstoretest is the suite that every engine of an event store
// passes: the comments of eventstore.Engine as tests. A way to create and open
// stores comes in; what breaks the contract comes out as failed subtests, each
// named after the rule that it broke.
//
//	suite.go        Run, and what it asks of an engine's test
//	scene.go        what a case works with: an engine, and short ways to use it
//	commits.go      commits and envelopes to write and compare
//	append.go       numbering, expected versions, nothing behind a refusal
//	atomic.go       a commit is written whole or not at all
//	idempotency.go  keys
//	resend.go       the same group handed in again
//	reading.go      pages, and what comes back of an envelope
//	snapshots.go    snapshots
//	races.go        readers beside a writer, several writers
//	reopen.go       what outlives the engine
//	archive.go      listing keys, new histories, imports
//
// The suite's own tests break an engine in one way after the other, and see
// that the case which stands for the rule fails.
package eventstoretest

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"passbook/es/eventstore"
)

// TB is the part of testing.TB that the cases use. That they use no more
// allows to run a case in order to see it fail.
type TB interface {
	require.TestingT
	helpers
	// Context ends before the cleanups are called.
	Context() context.Context
	// Cleanup has a function called when the case is over, the last one first.
	Cleanup(cleanup func())
	// TempDir returns a folder that is removed with the case.
	TempDir() string
	// Skipf ends the case without a verdict.
	Skipf(format string, args ...any)
}

// helpers are what test code marks its helpers with, and notes beside a verdict.
type helpers interface {
	Helper()
	Logf(format string, args ...any)
}

// Technology is what the suite is told of an engine.
type Technology struct {
	// Create makes room for one store, new and empty, and tells how to open it.
	// Cases run side by side, each with a store of its own.
	Create func(t TB) Open
	// Reopens: a store that was closed is found again when it is opened. Cases
	// that need it are skipped otherwise.
	Reopens bool
}

// Open opens an engine on a store and returns it with the function that closes
// it. The suite closes an engine before it opens the store again, except where
// the engine declares eventstore.Features.SharedWriters: then some cases have
// two of them open.
type Open func(ctx context.Context) (engine eventstore.Engine, closeEngine func() error, err error)

// Case is one rule of the contract as a test.
type Case struct {
	// Area is the part of the contract, Name the rule.
	Area, Name string
	// reopens and shares: the case needs Technology.Reopens, or an engine with
	// Features.SharedWriters.
	reopens, shares bool
	run             func(*scene)
}

// String gives the name of the case's subtest.
func (c Case) String() string { return c.Area + "/" + c.Name }

// Cases returns every case of the suite.
func Cases() []Case {
	areas := []struct {
		name  string
		cases []Case
	}{
		{"append", appendCases()},
		{"atomic", atomicCases()},
		{"idempotency", idempotencyCases()},
		{"resend", resendCases()},
		{"reading", readingCases()},
		{"snapshots", snapshotCases()},
		{"races", raceCases()},
		{"reopen", reopenCases()},
		{"archive", archiveCases()},
	}
	var all []Case
	for _, area := range areas {
		for _, c := range area.cases {
			c.Area = area.name
			all = append(all, c)
		}
	}
	return all
}

// Run runs every case as a subtest of t, side by side.
func Run(t *testing.T, technology Technology) {
	t.Helper()
	for _, c := range Cases() {
		t.Run(c.String(), func(t *testing.T) {
			t.Parallel()
			c.Run(t, technology)
		})
	}
}

// timeMax ends a case that an engine keeps waiting.
const timeMax = 2 * time.Minute

// Run runs the case on a store of its own. Whatever was done, the store has to
// be sound at the end.
func (c Case) Run(t TB, technology Technology) {
	t.Helper()
	if c.reopens && !technology.Reopens {
		t.Skipf("a store of this technology can not be opened again")
	}
	ctx, cancel := context.WithTimeout(t.Context(), timeMax)
	t.Cleanup(cancel)
	s := &scene{TB: t, ctx: ctx, create: technology.Create, open: technology.Create(t)}
	s.start()
	if c.shares && !s.engine.Features().SharedWriters {
		t.Skipf("a store of this technology belongs to one process")
	}
	c.run(s)
	s.sound()
}
