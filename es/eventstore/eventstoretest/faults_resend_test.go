package eventstoretest_test

import (
	"context"
	"slices"

	"passbook/es/event"
	"passbook/es/eventstore"
)

// unknown makes c look like one that never arrived.
func unknown(c eventstore.Commit) eventstore.Commit {
	c.Events = slices.Clone(c.Events)
	for i := range c.Events {
		c.Events[i].ID = event.NewID()
	}
	return c
}

// arrivedAs plants a change of what is answered to a group of which something
// is there already.
func arrivedAs(change func(b *broken, first int64, group commits, out outcomes)) func(*broken) {
	return func(b *broken) {
		b.append = func(ctx context.Context, first int64, group commits) (outcomes, error) {
			known := slices.ContainsFunc(group, b.arrived)
			out, err := b.EventStore.Append(ctx, first, group)
			if known && err == nil {
				change(b, first, group, out)
			}
			return out, err
		}
	}
}

func resendFaults() []fault {
	return []fault{
		{"what arrived is written again", "resend/group that arrived whole", func(b *broken) {
			b.append = func(ctx context.Context, first int64, group commits) (outcomes, error) {
				if !slices.ContainsFunc(group, b.arrived) {
					return b.EventStore.Append(ctx, first, group)
				}
				return b.oneByOne(ctx, b.top()+1, group, func(c eventstore.Commit) eventstore.Commit {
					return unknown(rebased(c, b.version(c.Stream)))
				})
			}
		}},
		{"what arrived is called a conflict", "resend/group that arrived whole",
			arrivedAs(func(b *broken, _ int64, group commits, out outcomes) {
				for i := range out {
					out[i] = eventstore.Outcome{State: eventstore.Conflict, Actual: b.version(group[i].Stream)}
				}
			})},
		{"what arrived is told at a new place", "resend/group that arrived whole",
			arrivedAs(func(_ *broken, first int64, _ commits, out outcomes) {
				for i := range out {
					out[i].Position = first + int64(i)
				}
			})},
		{"all or nothing of a group is known", "resend/group that arrived in part",
			arrivedAs(func(b *broken, _ int64, group commits, out outcomes) {
				if slices.ContainsFunc(group, func(c eventstore.Commit) bool { return !b.arrived(c) }) {
					clear(out)
				}
			})},
		{"only the end of the store is known", "resend/after others have written",
			arrivedAs(func(b *broken, _ int64, group commits, out outcomes) {
				last, _ := b.EventStore.ReadAll(context.Background(), b.top()-1, 1)
				if !slices.ContainsFunc(group, func(c eventstore.Commit) bool {
					return slices.ContainsFunc(c.Events, func(e event.Envelope) bool { return e.ID == last[0].ID })
				}) {
					clear(out)
				}
			})},
		{"looked for only where the place is taken", "resend/at another position",
			arrivedAs(func(b *broken, first int64, group commits, out outcomes) {
				if first == b.top()+1 {
					clear(out)
					out[0] = eventstore.Outcome{State: eventstore.Conflict, Actual: b.version(group[0].Stream)}
				}
			})},
		{"keys are looked at first", "resend/with a key is not refused by its own key",
			arrivedAs(func(b *broken, _ int64, group commits, out outcomes) {
				for i, c := range group {
					if prior, err := b.EventStore.FindKey(context.Background(), c.Key); err == nil {
						out[i] = eventstore.Outcome{State: eventstore.KeyTaken, Prior: prior}
					}
				}
			})},
		{"checks are made anew", "resend/commits without events before one that arrived",
			arrivedAs(func(b *broken, _ int64, group commits, out outcomes) {
				for i, c := range group {
					if actual := b.version(c.Stream); len(c.Events) == 0 && actual != c.Expected {
						clear(out[i:])
						out[i] = eventstore.Outcome{State: eventstore.Conflict, Actual: actual}
						return
					}
				}
			})},
		{"known at the front of a group only", "resend/behind a new commit", func(b *broken) {
			b.append = func(ctx context.Context, first int64, group commits) (outcomes, error) {
				known := make([]bool, len(group))
				for i, c := range group {
					known[i] = b.arrived(c)
				}
				out, err := b.EventStore.Append(ctx, first, group)
				for i := 1; i < len(out); i++ {
					if known[i] && !known[i-1] {
						out[i] = eventstore.Outcome{State: eventstore.Conflict, Actual: b.version(group[i].Stream)}
					}
				}
				return out, err
			}
		}},
		{"the second try of a conflict goes in", "resend/refused commit stays refused", func(b *broken) {
			tried := make(map[string]bool)
			b.append = func(ctx context.Context, first int64, group commits) (outcomes, error) {
				return b.oneByOne(ctx, first, group, func(c eventstore.Commit) eventstore.Commit {
					if len(c.Events) > 0 && tried[c.Stream] && c.Expected > b.version(c.Stream) {
						return rebased(c, b.version(c.Stream))
					}
					tried[c.Stream] = true
					return c
				})
			}
		}},
	}
}
