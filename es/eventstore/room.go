package eventstore

import "passbook/es/event"

// room tells which commits can go into one group.
type room struct {
	config                *Config
	commits, events, size int
	// heads are the versions of streams behind the commits that are in.
	heads map[string]int64
	keys  map[event.Key]bool
}

// newRoom returns what is left beside commits that are in a group already.
func newRoom(config *Config, in []*Pending) *room {
	r := &room{config: config, heads: make(map[string]int64), keys: make(map[event.Key]bool)}
	for _, p := range in {
		r.enter(p)
	}
	return r
}

// admits lets a commit in, unless it has to wait for the next group.
func (r *room) admits(p *Pending) bool {
	c := &p.commit
	head, seen := r.heads[c.Stream]
	switch {
	case r.commits == 0: // one commit goes alone, however large it is
	case r.events+max(len(c.Events), 1) > r.config.GroupEvents || r.size+p.bytes > r.config.GroupBytes:
		return false
	case seen && head != c.Expected:
		return false // one of the two will be refused: the next group finds out which
	case !c.Key.IsZero() && r.keys[c.Key]:
		return false
	}
	r.enter(p)
	return true
}

func (r *room) enter(p *Pending) {
	c := &p.commit
	r.commits++
	r.events += max(len(c.Events), 1)
	r.size += p.bytes
	r.heads[c.Stream] = c.Expected + int64(len(c.Events))
	if !c.Key.IsZero() {
		r.keys[c.Key] = true
	}
}
