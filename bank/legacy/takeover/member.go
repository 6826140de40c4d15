package takeover

import (
	"fmt"
	"slices"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// members are those of one document, by name. A member that is null is not
// there: the original leaves such members out.
type members map[string]bson.RawValue

// readMembers wants a document's members to be some of known, each once. prefix
// is put before their names in faults.
func (r *record) readMembers(document bson.Raw, prefix string, known ...string) members {
	elements, err := document.Elements()
	if err != nil {
		r.faultf(Malformed, "the document is damaged: %v", err)
	}
	found := make(members, len(elements))
	for _, e := range elements {
		name, value := e.Key(), e.Value()
		switch _, twice := found[name]; {
		case twice:
			r.faultf(Malformed, "%s%s is there twice", prefix, name)
		case !slices.Contains(known, name):
			r.faultf(UnknownMember, "a member %.64q", prefix+name)
		case value.Type != bson.TypeNull:
			found[name] = value
		}
	}
	return found
}

func (m members) text(name string) (string, bool) {
	v, ok := m[name]
	if !ok {
		return "", false
	}
	return v.StringValueOK()
}

// textOrNothing is empty for what is missing or no text.
func (m members) textOrNothing(name string) string {
	text, _ := m.text(name)
	return text
}

// integer takes a whole number of any type: a shell writes 3 as a double.
func (m members) integer(name string) (int64, bool) {
	v, ok := m[name]
	if !ok {
		return 0, false
	}
	switch v.Type {
	case bson.TypeInt32, bson.TypeInt64:
		return v.AsInt64OK()
	case bson.TypeDouble:
		n := int64(v.Double())
		return n, float64(n) == v.Double()
	default:
		return 0, false
	}
}

// millisMax is the end of the year 9999, the last that can be written wherever an
// event goes.
const millisMax = 253402300799999

// timeOf reads a date, the zero time if there is none.
func (r *record) timeOf(m members, prefix, name string) time.Time {
	v, ok := m[name]
	if !ok {
		r.faultf(MissingTime, "%s%s is missing", prefix, name)
		return time.Time{}
	}
	if v.Type != bson.TypeDateTime {
		r.faultf(MissingTime, "%s%s is a %s", prefix, name, v.Type)
		return time.Time{}
	}
	millis := v.DateTime()
	if millis < 0 || millis > millisMax {
		r.faultf(MissingTime, "%s%s is %d ms from 1970", prefix, name, millis)
		return time.Time{}
	}
	return time.UnixMilli(millis).UTC()
}

// describe says of what type a member is, or that it is missing.
func (m members) describe(name string) string {
	v, ok := m[name]
	if !ok {
		return name + " is missing"
	}
	if text, ok := v.StringValueOK(); ok {
		return fmt.Sprintf("%s is %.64q", name, text)
	}
	return fmt.Sprintf("%s is a %s", name, v.Type)
}
