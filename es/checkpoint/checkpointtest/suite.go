// Package checkpointtest is the suite that every checkpoint store passes: the
// comments of checkpoint.Store as tests. A way to create and open stores comes
// in; what breaks the contract comes out as failed subtests, each named after
// the rule that it broke.
//
//	suite.go     Run, and what it asks of a store's test
//	scene.go     what a case works with: a store, and short ways to use it
//	lease.go     who gets a lease, and how it is lost
//	expiry.go    leases whose time is up
//	progress.go  what is saved, and by whom
//	races.go     several holders at once
//	model.go     random steps beside a model
//
// The suite's own tests break a store in one way after the other, and see that
// the case which stands for the rule fails.
package checkpointtest

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"passbook/es/checkpoint"
)

// TB is the part of testing.TB that the cases use. That they use no more
// allows to run a case in order to see it fail.
type TB interface {
	require.TestingT          // Errorf and FailNow
	Helper()                  // leaves shorthand out of the place that a failure names
	Context() context.Context // ends with the case
	Cleanup(cleanup func())   // for what is to happen when the case has ended
	TempDir() string          // for stores that are files
	Skipf(f string, a ...any) // for what a technology does not have
}

// Technology is what the suite is told of a store.
type Technology struct {
	// Create makes room for one store, new and empty, and tells how to open it.
	// Cases run side by side, each with a store of its own.
	Create func(t TB) Open
	// Reopens: a store that was closed is found again when it is opened. Cases
	// that need it are skipped otherwise.
	Reopens bool
}

// Open opens a store and returns it with the function that closes it. The suite
// closes a store before it opens it again.
type Open func(ctx context.Context) (store checkpoint.Store, closeStore func() error, err error)

// Case is one rule of the contract as a test.
type Case struct {
	// Area is the part of the contract, Name the rule.
	Area, Name string
	reopens    bool
	run        func(*scene)
}

// String gives the name of the case's subtest.
func (c Case) String() string { return c.Area + "/" + c.Name }

// Cases returns every case of the suite.
func Cases() []Case {
	areas := []struct {
		name  string
		cases []Case
	}{
		{"lease", leaseCases()},
		{"expiry", expiryCases()},
		{"progress", progressCases()},
		{"races", raceCases()},
		{"model", modelCases()},
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

// timeMax ends a case that a store keeps waiting.
const timeMax = time.Minute

// Run runs the case on a store of its own.
func (c Case) Run(t TB, technology Technology) {
	t.Helper()
	if c.reopens && !technology.Reopens {
		t.Skipf("a store of this technology can not be opened again")
	}
	ctx, cancel := context.WithTimeout(t.Context(), timeMax)
	t.Cleanup(cancel)
	s := &scene{TB: t, ctx: ctx, open: technology.Create(t)}
	s.start()
	t.Cleanup(func() { require.NoError(s, s.stop(), "close") })
	c.run(s)
}
