package verify

import (
	"slices"
	"sort"
)

// positions is a set of positions of one partition, kept as ranges: what a
// partition lacks mostly lies side by side. Whether a position of another
// partition lies within a range means nothing.
type positions struct{ ranges []span }

type span struct{ from, to int64 }

// add adds a position above all others. joined: the partition has no event
// between it and the last one that was added.
func (p *positions) add(position int64, joined bool) {
	if n := len(p.ranges); n > 0 && joined {
		p.ranges[n-1].to = position
		return
	}
	p.ranges = append(p.ranges, span{position, position})
}

// find returns the index of the range that holds a position, or of the first
// one above it.
func (p *positions) find(position int64) (i int, found bool) {
	i = sort.Search(len(p.ranges), func(i int) bool { return p.ranges[i].to >= position })
	return i, i < len(p.ranges) && p.ranges[i].from <= position
}

func (p *positions) has(position int64) bool {
	_, found := p.find(position)
	return found
}

// insert adds a position wherever it belongs.
func (p *positions) insert(position int64) {
	if i, found := p.find(position); !found {
		p.ranges = slices.Insert(p.ranges, i, span{position, position})
	}
}

// remove takes a position out, and tells whether it was there.
func (p *positions) remove(position int64) bool {
	i, found := p.find(position)
	if !found {
		return false
	}
	var left []span
	if hit := p.ranges[i]; hit.from < position {
		left = append(left, span{hit.from, position - 1})
	}
	if hit := p.ranges[i]; hit.to > position {
		left = append(left, span{position + 1, hit.to})
	}
	p.ranges = slices.Replace(p.ranges, i, i+1, left...)
	return true
}
