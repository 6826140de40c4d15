package takeover

import "fmt"

// versions is what the versions of one account look like so far, in stored
// order. The zero value is an account without any.
type versions struct {
	next int64 // behind the highest
	// holes were passed over; few, and mostly none.
	holes []hole
}

// hole is missing versions, from up to and including to.
type hole struct{ from, to int64 }

// see takes the next version. It returns what is wrong with it, empty if nothing
// is; a hole is no fault of the event behind it, for it may be filled yet.
func (v *versions) see(version int64) Kind {
	if version >= v.next {
		if version > v.next {
			v.holes = append(v.holes, hole{v.next, version - 1})
		}
		v.next = version + 1
		return ""
	}
	for i, h := range v.holes {
		if version < h.from || version > h.to {
			continue
		}
		var rest []hole
		if h.from < version {
			rest = append(rest, hole{h.from, version - 1})
		}
		if version < h.to {
			rest = append(rest, hole{version + 1, h.to})
		}
		v.holes = append(append(append([]hole{}, v.holes[:i]...), rest...), v.holes[i+1:]...)
		return OutOfOrder
	}
	return DuplicateVersion
}

// missing says which versions never came; nothing if all did.
func (v *versions) missing() string {
	switch {
	case len(v.holes) == 0:
		return ""
	case len(v.holes) > 1:
		return fmt.Sprintf("versions are missing at %d places, the first is %d", len(v.holes), v.holes[0].from)
	case v.holes[0].from == v.holes[0].to:
		return fmt.Sprintf("version %d is missing", v.holes[0].from)
	}
	return fmt.Sprintf("versions %d to %d are missing", v.holes[0].from, v.holes[0].to)
}
