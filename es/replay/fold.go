package replay

import (
	"slices"
	"time"
)

// restores is what the log says, folded in its order.
type restores struct {
	// order has the restores as they were asked for.
	order []*entry
	// joined has requests that were made while another restore ran, and which.
	joined map[string]string
}

// entry is one restore, with what only publisher and builder need to know.
type entry struct {
	Restore
	published *record        // nil before
	line      string         // that was built last
	fences    map[kind]int64 // by kind.lease
	// heard is when the last record was written, or came here where the writer's
	// clock is ahead of ours. One that is far behind makes a restore look stalled
	// that is not; to take its place does no harm but to waste its work.
	heard time.Time
}

func newRestores() restores { return restores{joined: make(map[string]string)} }

// find returns a restore by the id of any request for it.
func (f *restores) find(id string) *entry {
	if other, ok := f.joined[id]; ok {
		id = other
	}
	if i := slices.IndexFunc(f.order, func(e *entry) bool { return e.ID == id }); i >= 0 {
		return f.order[i]
	}
	return nil
}

// active returns the restore that is running, or nil.
func (f *restores) active() *entry {
	if i := slices.IndexFunc(f.order, func(e *entry) bool { return e.State == StateRunning }); i >= 0 {
		return f.order[i]
	}
	return nil
}

// remove forgets a restore.
func (f *restores) remove(id string) {
	delete(f.joined, id)
	f.order = slices.DeleteFunc(f.order, func(e *entry) bool { return e.ID == id })
}

// add takes one record.
func (f *restores) add(r record, now time.Time) {
	if r.Kind == kindRequested {
		f.request(r, now)
		return
	}
	e := f.find(r.ID)
	if e == nil || e.ID != r.ID || r.Fence < e.fences[r.Kind.lease()] {
		return
	}
	e.fences[r.Kind.lease()] = r.Fence
	e.hear(r, now)
	e.take(r)
}

func (f *restores) request(r record, now time.Time) {
	if f.find(r.ID) != nil {
		return
	}
	if running := f.active(); running != nil {
		if r.Supersedes != running.ID {
			f.joined[r.ID] = running.ID
			return
		}
		running.fail("nothing was heard of it for too long, and restore " + r.ID + " was asked for instead")
	}
	e := &entry{
		Restore: Restore{ID: r.ID, State: StateRunning, Step: StepRequested, By: r.By, RequestedAt: r.At},
		fences:  make(map[kind]int64),
	}
	e.hear(r, now)
	f.order = append(f.order, e)
}

func (e *entry) hear(r record, now time.Time) {
	e.HeardAt, e.heard = r.At, r.At
	if now.Before(r.At) {
		e.heard = now
	}
}

func (e *entry) fail(reason string) {
	e.State, e.Step, e.Trouble, e.Error = StateFailed, "", "", reason
}

// take takes a record of publisher or builder. Whatever else was said, "done"
// stands: it tells what queries are answered from.
func (e *entry) take(r record) {
	switch {
	case r.Kind == kindDone:
		e.State, e.Step, e.Trouble, e.Error = StateDone, "", "", ""
		e.Events, e.Differences, e.Parked, e.line = r.Events, r.Differences, r.Parked, r.Line
	case e.State == StateDone:
	case r.Kind == kindFailed:
		e.fail(r.Error)
	case r.Kind == kindBuilding:
		e.line = r.Line
		e.Events, e.Differences, e.Parked = r.Events, r.Differences, r.Parked
		e.progress(r)
	case r.Kind == kindPublished:
		e.published = &r
		fallthrough
	case r.Kind == kindPublishing:
		e.History, e.Published, e.Total = r.History, r.Published, r.Total
		e.progress(r)
	}
}

// progress shows what is being done, unless it was only heard of late.
func (e *entry) progress(r record) {
	switch {
	case e.State != StateRunning:
	case r.Kind == kindPublishing && e.published == nil:
		e.Step, e.Trouble = StepPublishing, r.Trouble
	case r.Kind == kindPublished:
		e.Step, e.Trouble = StepPublished, ""
	case r.Kind == kindBuilding:
		e.Step, e.Trouble = r.Step, r.Trouble
	}
}

// stalled tells whether nobody seems to be at it.
func (e *entry) stalled(after time.Duration) bool {
	return e.State == StateRunning && time.Since(e.heard) > after
}
