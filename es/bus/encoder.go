package bus

import (
	"slices"
	"strconv"
	"time"

	"passbook/es/event"
)

// Encode returns the message in which an event of the store with that history
// id travels. Its Value is the event's Data, unchanged. Category and the actor
// are not published.
func Encode(history string, e event.Envelope) Message { return NewEncoder(history).Encode(&e) }

// Encoder does what Encode does for many events of one store, in fewer pieces of
// memory: what they have in common is made once, headers are made for many at a
// time. Used by one goroutine; the messages are the caller's.
type Encoder struct {
	source   string
	kind     event.Type // of the last event, and as it travels
	kindText string
	room     []Header // for the headers of messages to come, behind those that are
	text     []byte   // is used again with each event
}

// NewEncoder returns an Encoder for events of the store with that history id.
func NewEncoder(history string) *Encoder { return &Encoder{source: sourcePrefix + history} }

const (
	headersMax = 13   // that an event can have
	roomMax    = 1000 // headers that are made at once: 32 KB, which a message that is kept keeps
)

// Encode returns the message in which the event travels; see the function Encode.
func (x *Encoder) Encode(e *event.Envelope) Message {
	if cap(x.room)-len(x.room) < headersMax {
		x.room = make([]Header, 0, max(headersMax, min(2*cap(x.room), roomMax)))
	}
	if x.kindText == "" || x.kind != e.Type {
		x.kind, x.kindText = e.Type, e.Type.String()
	}
	at, version, position := x.numbers(e)
	headers := x.room[len(x.room):]
	headers = append(headers,
		Header{headerContentType, "application/json"},
		Header{headerSpecVersion, specVersion},
		Header{headerID, e.ID},
		Header{headerSource, x.source},
		Header{headerType, x.kindText},
		Header{headerSubject, e.Stream},
		Header{headerTime, at},
		Header{headerVersion, version},
		Header{headerPosition, position},
	)
	optional := func(key, value string) {
		if value != "" {
			headers = append(headers, Header{key, value})
		}
	}
	optional(headerCorrelationID, e.Metadata.CorrelationID)
	optional(headerCausationID, e.Metadata.CausationID)
	optional(headerTraceParent, e.Metadata.TraceParent)
	if e.Metadata.Imported {
		optional(headerImported, "true")
	}
	x.room = x.room[:len(x.room)+len(headers)]
	return Message{Key: e.Stream, Value: e.Data, Headers: slices.Clip(headers), Time: e.Time}
}

// numbers returns the texts of what an event has in numbers, as one piece of memory.
func (x *Encoder) numbers(e *event.Envelope) (at, version, position string) {
	x.text = e.Time.AppendFormat(x.text[:0], time.RFC3339Nano)
	first := len(x.text)
	x.text = strconv.AppendInt(x.text, e.Version, 10)
	second := len(x.text)
	x.text = strconv.AppendInt(x.text, e.Position, 10)
	all := string(x.text)
	return all[:first], all[first:second], all[second:]
}
