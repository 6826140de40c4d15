package bustest

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stretchr/testify/require"

	"passbook/es/bus"
)

// probe is a consumer that keeps what it is given and checks what the contract
// says of every call.
type probe struct {
	// Each may be set before it is run. The defaults read everything from the
	// first offset on.
	assign  func(bus.Assignment) (int64, error)
	consume func(context.Context, bus.Run) (int64, error)
	revoke  func(partition int32)

	ended atomic.Bool // Run has returned

	mu          sync.Mutex
	busy        map[int32]bool
	assignments []bus.Assignment
	held        map[int32]int64 // assigned and not revoked; what is to come next
	runs        []bus.Run
	faults      []string
}

var _ bus.Consumer = (*probe)(nil)

func newProbe() *probe {
	return &probe{
		assign:  func(a bus.Assignment) (int64, error) { return a.Bounds.First, nil },
		consume: func(_ context.Context, r bus.Run) (int64, error) { return behind(r), nil },
		revoke:  func(int32) {},
		busy:    make(map[int32]bool),
		held:    make(map[int32]int64),
	}
}

// behind is the offset behind a run.
func behind(r bus.Run) int64 { return r.Records[len(r.Records)-1].Offset + 1 }

// enter is called at the beginning of each call and returns its end.
func (p *probe) enter(call string, partition int32) func() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.busy[partition] {
		p.faultf("%s of partition %d is called while another call for it runs", call, partition)
	}
	if p.ended.Load() {
		p.faultf("%s of partition %d is called after Run has returned", call, partition)
	}
	p.busy[partition] = true
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.busy[partition] = false
	}
}

// faultf is called with mu held.
func (p *probe) faultf(format string, args ...any) {
	p.faults = append(p.faults, fmt.Sprintf(format, args...))
}

func (p *probe) Assign(_ context.Context, a bus.Assignment) (int64, error) {
	defer p.enter("Assign", a.Partition)()
	p.mu.Lock()
	p.assignments = append(p.assignments, a)
	if a.Partition < 0 || a.Partition >= a.Topic.Partitions || a.Topic.ID == "" || a.Bounds.First > a.Bounds.End {
		p.faultf("assignment %+v makes no sense", a)
	}
	p.mu.Unlock()
	offset, err := p.assign(a)
	if err == nil {
		p.mu.Lock()
		p.held[a.Partition] = offset
		p.mu.Unlock()
	}
	return offset, err
}

func (p *probe) Consume(ctx context.Context, r bus.Run) (int64, error) {
	defer p.enter("Consume", r.Partition)()
	p.mu.Lock()
	p.checkRun(r)
	p.mu.Unlock()
	if len(r.Records) == 0 {
		return 0, nil
	}
	next, err := p.consume(ctx, r)
	p.mu.Lock()
	defer p.mu.Unlock()
	if err == nil {
		p.runs = append(p.runs, r)
		p.held[r.Partition] = next
	}
	return next, err
}

func (p *probe) checkRun(r bus.Run) {
	expected, held := p.held[r.Partition]
	if !held {
		p.faultf("a run of partition %d, which is not assigned", r.Partition)
	}
	if len(r.Records) == 0 {
		p.faultf("an empty run of partition %d", r.Partition)
		return
	}
	if r.Records[0].Offset < expected {
		p.faultf("a run of partition %d begins at %d, before %d", r.Partition, r.Records[0].Offset, expected)
	}
	if r.End < behind(r) {
		p.faultf("a run of partition %d reaches to %d and tells an end of %d", r.Partition, behind(r), r.End)
	}
	last := int64(-1)
	for _, record := range r.Records {
		if record.Partition != r.Partition {
			p.faultf("a run of partition %d has a record of %d", r.Partition, record.Partition)
		}
		if record.Offset <= last {
			p.faultf("a run of partition %d has offset %d behind %d", r.Partition, record.Offset, last)
		}
		last = record.Offset
	}
}

func (p *probe) Revoke(partition int32) {
	defer p.enter("Revoke", partition)()
	p.mu.Lock()
	delete(p.held, partition)
	p.mu.Unlock()
	p.revoke(partition)
}

// names are those of the events that were consumed from a partition, in order.
func (p *probe) names(partition int32) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var found []string
	for _, r := range p.runs {
		if r.Partition == partition {
			found = append(found, namesOf(r)...)
		}
	}
	return found
}

func namesOf(r bus.Run) []string {
	var found []string
	for _, record := range r.Records {
		_, e, err := bus.Decode(record.Message)
		if err != nil {
			found = append(found, err.Error())
			continue
		}
		found = append(found, name(e))
	}
	return found
}

// count is how many records were consumed.
func (p *probe) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := 0
	for _, r := range p.runs {
		n += len(r.Records)
	}
	return n
}

// holds returns the partitions that it has now, ascending.
func (p *probe) holds() []int32 {
	p.mu.Lock()
	defer p.mu.Unlock()
	var held []int32
	for partition := range p.held {
		held = append(held, partition)
	}
	slices.Sort(held)
	return held
}

// assigned returns the assignments of a partition so far.
func (p *probe) assigned(partition int32) []bus.Assignment {
	p.mu.Lock()
	defer p.mu.Unlock()
	var found []bus.Assignment
	for _, a := range p.assignments {
		if a.Partition == partition {
			found = append(found, a)
		}
	}
	return found
}

// running is a call of Run.
type running struct {
	env    *env
	probe  *probe
	cancel context.CancelFunc
	over   chan struct{} // closed when it has returned
	err    error         // what it returned
}

// start runs the probe in a group until the case ends, or is told to stop.
func (e *env) start(group string, p *probe) *running {
	e.Helper()
	ctx, cancel := context.WithCancel(e.ctx)
	r := &running{env: e, probe: p, cancel: cancel, over: make(chan struct{})}
	go func() {
		defer close(r.over)
		r.err = e.Subscriber.Run(ctx, group, p)
		p.ended.Store(true)
	}()
	e.Cleanup(func() {
		r.stop()
		p.mu.Lock()
		defer p.mu.Unlock()
		require.Empty(e, p.faults)
	})
	return r
}

// stop ends it in order. It may be called more than once.
func (r *running) stop() {
	r.env.Helper()
	r.cancel()
	require.False(r.env, r.goesOn(r.env.patience), "Run does not return though its context has ended")
	require.NoError(r.env, r.err, "Run returns nil when its context ends")
	require.Empty(r.env, r.probe.holds(), "every partition is revoked when Run returns")
}

// goesOn tells whether Run has not returned for so long.
func (r *running) goesOn(long time.Duration) bool {
	timer := time.NewTimer(long)
	defer timer.Stop()
	select {
	case <-r.over:
		return false
	case <-timer.C:
		return true
	}
}

// requireConsumed waits until the probe has consumed these events and no
// others, in each partition in their order, each once.
func (e *env) requireConsumed(p *probe, events [][]string) {
	e.Helper()
	total := 0
	for _, names := range events {
		total += len(names)
	}
	e.eventuallyf(func() bool { return p.count() >= total }, "%d records are to be consumed", total)
	for partition, names := range events {
		require.Equal(e, names, p.names(int32(partition)), "partition %d", partition)
	}
}
