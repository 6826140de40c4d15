package bus

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"passbook/es/event"
)

// ErrForeign is returned for a record that no relay of ours wrote, or that was
// spoiled on its way. It names no event, so it can neither fill a place in a
// stream nor hide that one is missing.
var ErrForeign = errors.New("not an event record")

// Headers of a record, after the CloudEvents Kafka protocol binding 1.0.2,
// binary content mode. Extension names are lower case without separators, as
// the CloudEvents specification wants them.
const (
	headerContentType   = "content-type"
	headerSpecVersion   = "ce_specversion"
	headerID            = "ce_id"
	headerSource        = "ce_source"
	headerType          = "ce_type"
	headerSubject       = "ce_subject"
	headerTime          = "ce_time"
	headerVersion       = "ce_version"
	headerPosition      = "ce_position"
	headerCorrelationID = "ce_correlationid"
	headerCausationID   = "ce_causationid"
	headerImported      = "ce_imported"
	headerTraceParent   = "traceparent"

	specVersion  = "1.0"
	sourcePrefix = "/passbook/"
)

// Decode returns the event in a message and the history id of the store that
// it came from, or ErrForeign. Headers that it does not know are ignored.
func Decode(m Message) (history string, e event.Envelope, err error) {
	values := make(map[string]string, len(m.Headers))
	for _, h := range m.Headers {
		if _, twice := values[h.Key]; !twice {
			values[h.Key] = h.Value
		}
	}
	history, ours := strings.CutPrefix(values[headerSource], sourcePrefix)
	e = event.Envelope{
		ID:     values[headerID],
		Stream: values[headerSubject],
		Data:   m.Value,
		Metadata: event.Metadata{
			CorrelationID: values[headerCorrelationID],
			CausationID:   values[headerCausationID],
			Imported:      values[headerImported] == "true",
			TraceParent:   values[headerTraceParent],
		},
	}
	switch {
	case values[headerSpecVersion] != specVersion:
		return "", e, fmt.Errorf("%w: header %s is %q, want %q", ErrForeign, headerSpecVersion, values[headerSpecVersion], specVersion)
	case !ours || history == "":
		return "", e, fmt.Errorf("%w: header %s is %q, want %s and a history id", ErrForeign, headerSource, values[headerSource], sourcePrefix)
	case e.ID == "" || e.Stream == "" || m.Key != e.Stream:
		return "", e, fmt.Errorf("%w: headers %s and %s and the key want an id and twice the stream", ErrForeign, headerID, headerSubject)
	}
	var faults [4]error
	e.Type, faults[0] = event.ParseType(values[headerType])
	e.Time, faults[1] = moment(values[headerTime])
	e.Version, faults[2] = number(values[headerVersion], 0)
	e.Position, faults[3] = number(values[headerPosition], 1)
	for _, fault := range faults {
		if fault != nil {
			return "", e, fmt.Errorf("%w: %w", ErrForeign, fault)
		}
	}
	return history, e, nil
}

// moment reads a time in any zone. In UTC it must still be one that can be
// written again, which those at the ends of the calendar are not.
func moment(s string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return time.Time{}, err
	}
	t = event.Truncate(t)
	if year := t.Year(); year < 0 || year > 9999 {
		return time.Time{}, fmt.Errorf("%q lies outside the years 0 to 9999", s)
	}
	return t, nil
}

func number(s string, least int64) (int64, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < least {
		return 0, fmt.Errorf("%q is no number from %d", s, least)
	}
	return n, nil
}
