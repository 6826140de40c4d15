package checkpointtest_test

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"passbook/engine/memory"
	"passbook/es/checkpoint"
	"passbook/es/checkpoint/checkpointtest"
)

// broken is a store with one fault, on top of one that has none.
type broken struct {
	checkpoint.Store
	acquire func(ctx context.Context, name, holder string, d time.Duration) (checkpoint.Lease, error)
	renew   func(ctx context.Context, l checkpoint.Lease, d time.Duration) error
	release func(ctx context.Context, l checkpoint.Lease) error
	load    func(ctx context.Context, reader string) ([]checkpoint.Progress, error)
	save    func(ctx context.Context, l checkpoint.Lease, p []checkpoint.Progress) error
}

func (b broken) Acquire(ctx context.Context, name, holder string, d time.Duration) (checkpoint.Lease, error) {
	if b.acquire != nil {
		return b.acquire(ctx, name, holder, d)
	}
	return b.Store.Acquire(ctx, name, holder, d)
}

func (b broken) Renew(ctx context.Context, l checkpoint.Lease, d time.Duration) error {
	if b.renew != nil {
		return b.renew(ctx, l, d)
	}
	return b.Store.Renew(ctx, l, d)
}

func (b broken) Release(ctx context.Context, l checkpoint.Lease) error {
	if b.release != nil {
		return b.release(ctx, l)
	}
	return b.Store.Release(ctx, l)
}

func (b broken) Load(ctx context.Context, reader string) ([]checkpoint.Progress, error) {
	if b.load != nil {
		return b.load(ctx, reader)
	}
	return b.Store.Load(ctx, reader)
}

func (b broken) Save(ctx context.Context, l checkpoint.Lease, p []checkpoint.Progress) error {
	if b.save != nil {
		return b.save(ctx, l, p)
	}
	return b.Store.Save(ctx, l, p)
}

// fault is one way to break a store, and the case that stands for the rule.
type fault struct {
	name, caughtBy string
	plant          func(sound checkpoint.Store) checkpoint.Store
}

func faults() []fault {
	return []fault{
		{"everybody gets the lease", "lease/held by one", everybodyGetsIt},
		{"one lease for all names", "lease/names are apart", oneLease},
		{"an own lease is not given again", "lease/its holder gets it again, with a new fence", notAgain},
		{"the fence stays when it is given again", "lease/its holder gets it again, with a new fence", sameFence},
		{"giving back does nothing", "lease/given back is free at once", keepsIt},
		{"giving back does nothing", "lease/given back is lost", keepsIt},
		{"anybody's lease is given back", "lease/a lost one can not be given back", givesBackAny},
		{"anything is renewed", "lease/one that never was is lost", renewsAny},
		{"contexts are ignored", "lease/a call whose context has ended does nothing", ignoresContext},
		{"leases last for ever", "expiry/makes it free", lastsForever},
		{"a lost lease is renewed", "expiry/and another took it: lost", renewsAny},
		{"renewing changes nothing", "expiry/a renewed one lives on", renewsNothing},
		{"renewing only prolongs", "expiry/renewing may shorten it", onlyProlongs},
		{"parts of a millisecond are for ever", "expiry/less than a millisecond is a time", lastsForever},
		{"progress is never saved", "progress/comes back as it was, by partition", savesNothing},
		{"partitions come in any order", "progress/comes back as it was, by partition", anyOrder},
		{"progress is merged", "progress/is replaced whole", merges},
		{"one progress for all readers", "progress/readers are apart", oneProgress},
		{"the fence is not looked at", "progress/an older fence changes nothing", savesUnfenced},
		{"a refused save has saved", "progress/an older fence changes nothing", refusesTooLate},
		{"progress only grows", "progress/may go back", onlyGrows},
		{"checked, then given", "races/one of many gets a free lease", checkThenGive},
		{"checked, then saved", "races/of two that save, the later holder stays", checkThenSave},
		{"saved one by one", "races/no half of a save is seen", oneByOne},
		{"anything is renewed", "model/random steps", renewsAny},
		{"progress is merged", "model/random steps", merges},
	}
}

// TestSuite_CatchesFaults breaks a store in one way after the other.
func TestSuite_CatchesFaults(t *testing.T) {
	for _, f := range faults() {
		t.Run(f.name+"/"+strings.ReplaceAll(f.caughtBy, "/", ": "), func(t *testing.T) {
			t.Parallel()
			all := checkpointtest.Cases()
			i := slices.IndexFunc(all, func(c checkpointtest.Case) bool { return c.String() == f.caughtBy })
			require.GreaterOrEqual(t, i, 0, "no case is called %s", f.caughtBy)
			require.Empty(t, outcome(t, all[i], func(s checkpoint.Store) checkpoint.Store { return s }))
			require.NotEmpty(t, outcome(t, all[i], f.plant), "the case does not notice")
		})
	}
}

// outcome runs a case and returns what it complained of.
func outcome(t *testing.T, c checkpointtest.Case, plant func(checkpoint.Store) checkpoint.Store) []string {
	t.Helper()
	r := &recorder{T: t}
	var done sync.WaitGroup
	done.Go(func() { // FailNow ends a goroutine
		c.Run(r, checkpointtest.Technology{Create: func(checkpointtest.TB) checkpointtest.Open {
			return func(context.Context) (checkpoint.Store, func() error, error) {
				return plant(memory.NewCheckpoints()), func() error { return nil }, nil
			}
		}})
	})
	done.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.complaints
}

// recorder is a TB that takes failures down instead of failing.
type recorder struct {
	*testing.T
	mu         sync.Mutex
	complaints []string
}

func (r *recorder) Errorf(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.complaints = append(r.complaints, fmt.Sprintf(format, args...))
}

func (r *recorder) FailNow() {
	r.Errorf("ended")
	runtime.Goexit()
}
