package archive

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"passbook/es/event"
	"passbook/es/eventstore"
)

// entry is one event of the file, with the idempotency key of the command whose
// last event it is.
type entry struct {
	event event.Envelope
	key   eventstore.KeyRecord // zero without a key
}

// appendEntry writes an entry as a line, less the newline.
func appendEntry(b []byte, e *entry) []byte {
	v, m := &e.event, &e.event.Metadata
	b = appendInt(append(b, '{'), "position", v.Position)
	b = appendMember(append(b, ','), "stream", v.Stream)
	b = appendInt(append(b, ','), "version", v.Version)
	b = appendOptional(b, "category", v.Category)
	b = appendMember(append(b, ','), "id", v.ID)
	b = appendMember(append(b, ','), "type", v.Type.Name)
	b = appendInt(append(b, ','), "schema", int64(v.Type.Schema))
	b = appendInt(append(b, ','), "timeMicros", v.Time.UnixMicro())
	b = appendOptional(b, "correlationId", m.CorrelationID)
	b = appendOptional(b, "causationId", m.CausationID)
	b = appendOptional(b, "actor", string(m.Actor))
	b = appendOptional(b, "traceParent", m.TraceParent)
	if m.Imported {
		b = append(b, `,"imported":true`...)
	}
	b = appendBytes(b, "data", v.Data)
	if !e.key.Key.IsZero() {
		b = appendKey(b, &e.key)
	}
	return append(b, '}')
}

func appendKey(b []byte, r *eventstore.KeyRecord) []byte {
	b = appendMember(append(b, `,"key":{`...), "value", r.Key.Value)
	b = appendOptional(b, "client", r.Key.Client)
	b = append(b, `,"requestHash":`...)
	b = appendBase64(b, r.RequestHash)
	b = appendBytes(b, "result", r.Result)
	return append(b, '}')
}

func appendName(b []byte, name string) []byte {
	b = append(b, '"')
	b = append(b, name...)
	return append(b, `":`...)
}

func appendInt(b []byte, name string, n int64) []byte {
	return strconv.AppendInt(appendName(b, name), n, 10)
}

func appendMember(b []byte, name, value string) []byte {
	return appendText(appendName(b, name), value)
}

func appendOptional(b []byte, name, value string) []byte {
	if value == "" {
		return b
	}
	return appendMember(append(b, ','), name, value)
}

// lineForm is what a line is decoded into. What it leaves open (members in other
// letters, twice, unknown) is refused by writing the entry again.
type lineForm struct {
	Position      int64           `json:"position"`
	Stream        text            `json:"stream"`
	Version       int64           `json:"version"`
	Category      text            `json:"category"`
	ID            text            `json:"id"`
	Type          text            `json:"type"`
	Schema        int             `json:"schema"`
	TimeMicros    int64           `json:"timeMicros"`
	CorrelationID text            `json:"correlationId"`
	CausationID   text            `json:"causationId"`
	Actor         text            `json:"actor"`
	TraceParent   text            `json:"traceParent"`
	Imported      bool            `json:"imported"`
	Data          json.RawMessage `json:"data"`
	DataBase64    []byte          `json:"dataBase64"`
	Key           *keyForm        `json:"key"`
}

type keyForm struct {
	Value        text            `json:"value"`
	Client       text            `json:"client"`
	RequestHash  []byte          `json:"requestHash"`
	Result       json.RawMessage `json:"result"`
	ResultBase64 []byte          `json:"resultBase64"`
}

// errForm: a line that says something, but not in the one way in which it is
// written.
var errForm = errors.New("it is not written as an export writes it")

// parseEntry reads what appendEntry has written, and nothing else. The entry
// does not share memory with the line.
func parseEntry(line []byte) (*entry, error) {
	var form lineForm
	if err := json.Unmarshal(line, &form); err != nil {
		return nil, fmt.Errorf("it is no event: %w", err)
	}
	e := &entry{event: event.Envelope{
		ID: string(form.ID), Stream: string(form.Stream), Category: string(form.Category),
		Version: form.Version, Position: form.Position,
		Type: event.Type{Name: string(form.Type), Schema: form.Schema},
		Time: time.UnixMicro(form.TimeMicros).UTC(),
		Data: chosen(form.Data, form.DataBase64),
		Metadata: event.Metadata{
			CorrelationID: string(form.CorrelationID), CausationID: string(form.CausationID),
			Actor: event.Actor(form.Actor), TraceParent: string(form.TraceParent), Imported: form.Imported,
		},
	}}
	if k := form.Key; k != nil {
		e.key = eventstore.KeyRecord{
			Key:         event.Key{Client: string(k.Client), Value: string(k.Value)},
			RequestHash: k.RequestHash, Result: chosen(k.Result, k.ResultBase64),
			Stream: e.event.Stream, Version: e.event.Version, Position: e.event.Position,
		}
	}
	if again := appendEntry(make([]byte, 0, len(line)), e); string(again) != string(line) {
		return nil, errForm
	}
	return e, nil
}
