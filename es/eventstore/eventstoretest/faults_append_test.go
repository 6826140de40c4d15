package eventstoretest_test

import (
	"context"
	"errors"
	"slices"

	"passbook/es/event"
	"passbook/es/eventstore"
)

type (
	commits  = []eventstore.Commit
	outcomes = []eventstore.Outcome
)

// version and top read the good engine below.
func (b *broken) version(stream string) int64 {
	version, _ := b.EventStore.StreamVersion(context.Background(), stream)
	return version
}

func (b *broken) top() int64 {
	position, _ := b.EventStore.Head(context.Background())
	return position
}

// find returns the stored event with an id.
func (b *broken) find(id string) (event.Envelope, bool) {
	all, _ := b.EventStore.ReadAll(context.Background(), 0, 1<<30)
	i := slices.IndexFunc(all, func(e event.Envelope) bool { return e.ID == id })
	if i < 0 {
		return event.Envelope{}, false
	}
	return all[i], true
}

func (b *broken) arrived(c eventstore.Commit) bool {
	if len(c.Events) == 0 {
		return false
	}
	e, ok := b.find(c.Events[0].ID)
	return ok && e.Stream == c.Stream && e.Version == c.Expected+1
}

// rebased returns c as if it had been decided on another version.
func rebased(c eventstore.Commit, expected int64) eventstore.Commit {
	c.Expected = expected
	c.Events = slices.Clone(c.Events)
	for i := range c.Events {
		c.Events[i].Version = expected + 1 + int64(i)
	}
	return c
}

// oneByOne appends commits each with a call of its own, as change has them.
func (b *broken) oneByOne(
	ctx context.Context, first int64, group commits, change func(eventstore.Commit) eventstore.Commit,
) (outcomes, error) {
	out := make(outcomes, len(group))
	if first != b.top()+1 {
		return b.EventStore.Append(ctx, first, group)
	}
	for i, c := range group {
		one, err := b.EventStore.Append(ctx, b.top()+1, commits{change(c)})
		if err != nil {
			return nil, err
		}
		if out[i] = one[0]; out[i].State != eventstore.Written {
			break
		}
	}
	return out, nil
}

// appendAs plants a change of what is asked.
func appendAs(change func(b *broken, c eventstore.Commit) eventstore.Commit) func(*broken) {
	return func(b *broken) {
		b.append = func(ctx context.Context, first int64, group commits) (outcomes, error) {
			return b.oneByOne(ctx, first, group, func(c eventstore.Commit) eventstore.Commit { return change(b, c) })
		}
	}
}

// answerAs plants a change of what is answered.
func answerAs(change func(b *broken, group commits, out outcomes)) func(*broken) {
	return func(b *broken) {
		b.append = func(ctx context.Context, first int64, group commits) (outcomes, error) {
			out, err := b.EventStore.Append(ctx, first, group)
			if err == nil {
				change(b, group, out)
			}
			return out, err
		}
	}
}

func appendFaults() []fault {
	return []fault{
		{"expected version is not checked", "append/lower expected version is refused",
			appendAs(func(b *broken, c eventstore.Commit) eventstore.Commit { return rebased(c, b.version(c.Stream)) })},
		{"NoVersion skips the check", "append/NoVersion means that the stream must not exist",
			appendAs(func(b *broken, c eventstore.Commit) eventstore.Commit {
				if c.Expected == event.NoVersion {
					return rebased(c, b.version(c.Stream))
				}
				return c
			})},
		{"only what is behind is a conflict", "append/higher expected version is refused",
			appendAs(func(b *broken, c eventstore.Commit) eventstore.Commit {
				if actual := b.version(c.Stream); c.Expected > actual {
					return rebased(c, actual)
				}
				return c
			})},
		{"conflict names the expected version", "append/lower expected version is refused",
			answerAs(func(_ *broken, group commits, out outcomes) {
				for i := range out {
					if out[i].State == eventstore.Conflict {
						out[i].Actual = group[i].Expected
					}
				}
			})},
		{"position is that of the last event", "append/numbers run without a gap",
			answerAs(func(_ *broken, group commits, out outcomes) {
				for i := range out {
					out[i].Position += int64(max(len(group[i].Events), 1) - 1)
				}
			})},
		{"first is not looked at", "append/first must be the head plus one", func(b *broken) {
			b.append = func(ctx context.Context, _ int64, group commits) (outcomes, error) {
				return b.EventStore.Append(ctx, b.top()+1, group)
			}
		}},
		{"a refusal takes a position", "append/numbers run without a gap", plantGaps},
		{"a leak ends it after many appends", "append/callers one after the other", func(b *broken) {
			left := 60
			b.append = func(ctx context.Context, first int64, group commits) (outcomes, error) {
				if left--; left < 0 {
					return nil, errors.New("too many connections")
				}
				return b.EventStore.Append(ctx, first, group)
			}
		}},
	}
}

// plantGaps has every refusal use up a position, as a database's sequence does.
func plantGaps(b *broken) {
	var refusals []int64 // the good engine's head at each
	shifted := func(position int64) int64 {
		shift := int64(0)
		for _, head := range refusals {
			if head < position {
				shift++
			}
		}
		return position + shift
	}
	b.append = func(ctx context.Context, first int64, group commits) (outcomes, error) {
		if first == shifted(b.top())+1 {
			first = b.top() + 1
		}
		out, err := b.EventStore.Append(ctx, first, group)
		for i := range out {
			if out[i].State == eventstore.Conflict {
				refusals = append(refusals, b.top())
			}
			if out[i].Position > 0 {
				out[i].Position = shifted(out[i].Position)
			}
		}
		return out, err
	}
	b.readAll = func(ctx context.Context, after int64, limit int) ([]event.Envelope, error) {
		page, err := b.EventStore.ReadAll(ctx, after, limit)
		for i := range page {
			page[i].Position = shifted(page[i].Position)
		}
		return page, err
	}
	b.head = func(context.Context) (int64, error) { return shifted(b.top()), nil }
}

func groupFaults() []fault {
	return []fault{
		{"goes on behind a refused commit", "append/nothing is written behind a refusal", plantGoingOn},
		{"one version of a stream in a group", "append/commits of one stream follow each other in a group", func(b *broken) {
			b.append = func(ctx context.Context, first int64, group commits) (outcomes, error) {
				out := make(outcomes, len(group))
				seen := make(map[string]bool)
				for i, c := range group {
					if seen[c.Stream] && len(c.Events) > 0 && first == b.top()+1 {
						written, err := b.EventStore.Append(ctx, first, group[:i])
						copy(out, written)
						out[i] = eventstore.Outcome{State: eventstore.Conflict, Actual: b.version(c.Stream)}
						return out, err
					}
					seen[c.Stream] = true
				}
				return b.EventStore.Append(ctx, first, group)
			}
		}},
		{"commits without events always hold", "append/commit without events asks for the version",
			appendAs(func(b *broken, c eventstore.Commit) eventstore.Commit {
				if len(c.Events) == 0 {
					c.Expected = b.version(c.Stream)
				}
				return c
			})},
		{"checks are made before the group is written", "append/commit without events sees those before it", func(b *broken) {
			b.append = func(ctx context.Context, first int64, group commits) (outcomes, error) {
				for i, c := range group {
					if actual := b.version(c.Stream); len(c.Events) == 0 && actual != c.Expected {
						out := make(outcomes, len(group))
						written, err := b.EventStore.Append(ctx, first, group[:i])
						copy(out, written)
						out[i] = eventstore.Outcome{State: eventstore.Conflict, Actual: actual}
						return out, err
					}
				}
				return b.EventStore.Append(ctx, first, group)
			}
		}},
		{"checks hold nothing back", "append/refused commit without events holds back the rest", func(b *broken) {
			b.append = func(ctx context.Context, first int64, group commits) (outcomes, error) {
				out, err := b.EventStore.Append(ctx, first, group)
				for i := range out {
					if out[i].State == eventstore.Conflict && len(group[i].Events) == 0 {
						_, err = b.EventStore.Append(ctx, b.top()+1, group[i+1:])
					}
				}
				return out, err
			}
		}},
		{"everything behind a refusal is called a conflict", "append/refusals that are told are true",
			answerAs(func(b *broken, group commits, out outcomes) {
				for i := 1; i < len(out); i++ {
					if out[i-1].State == eventstore.Conflict && out[i].State == eventstore.NotTried {
						out[i] = eventstore.Outcome{State: eventstore.Conflict, Actual: b.version(group[i].Stream)}
					}
				}
			})},
		{"a large group is cut off", "append/large group", func(b *broken) {
			b.append = func(ctx context.Context, first int64, group commits) (outcomes, error) {
				cut := group[:min(len(group), 200)]
				out, err := b.EventStore.Append(ctx, first, cut)
				for i := len(cut); i < len(group); i++ {
					out = append(out, eventstore.Outcome{State: eventstore.Written, Position: out[i-1].Position + 1})
				}
				return out, err
			}
		}},
	}
}

// plantGoingOn writes what stands behind a refused commit, and keeps quiet
// about it.
func plantGoingOn(b *broken) {
	b.append = func(ctx context.Context, first int64, group commits) (outcomes, error) {
		out, err := b.EventStore.Append(ctx, first, group)
		for i := range out {
			if out[i].State == eventstore.Conflict {
				for _, c := range group[i+1:] {
					if _, err := b.EventStore.Append(ctx, b.top()+1, commits{c}); err != nil {
						return nil, err
					}
				}
			}
		}
		return out, err
	}
}
