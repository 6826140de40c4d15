package event

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
)

// ErrUnknownType is returned for an event whose name, or whose newer schema
// version, this program does not know. A newer program does: the event is to be
// kept and tried again, never passed over.
var ErrUnknownType = errors.New("unknown event type")

// ErrMalformed is returned for a payload that is not what its type says.
var ErrMalformed = errors.New("malformed event payload")

// Codec turns payload structs into bytes and bytes into payload structs. It
// does not change after NewCodec, so it is safe for concurrent use.
type Codec struct {
	types   map[reflect.Type]Type
	decode  map[Type]func([]byte) (any, error)
	lift    map[Type]lift
	current map[string]int // name -> newest schema that is known
}

type lift struct {
	to    Type
	apply func([]byte) ([]byte, error)
}

// Definition is one entry of a codec, made by Define or Upcast.
type Definition func(*Codec) error

// Define says that payloads of Go type T are written under name in the given
// schema version, as JSON. T is a struct; Decode returns it by value.
func Define[T any](name string, schema int) Definition {
	return func(c *Codec) error {
		t, goType := Type{Name: name, Schema: schema}, reflect.TypeFor[T]()
		if parsed, err := ParseType(t.String()); err != nil || parsed != t {
			return fmt.Errorf("define event type %q: want a dotted name and a schema from 1", t)
		}
		if _, ok := c.decode[t]; ok {
			return fmt.Errorf("define event type %s: it is defined twice", t)
		}
		if other, ok := c.types[goType]; ok {
			return fmt.Errorf("define event type %s: %s is already written as %s", t, goType, other)
		}
		c.types[goType] = t
		c.decode[t] = func(data []byte) (any, error) {
			var payload T
			if err := json.Unmarshal(data, &payload); err != nil {
				return nil, fmt.Errorf("%w: %s: %w", ErrMalformed, t, err)
			}
			return payload, nil
		}
		c.current[name] = max(c.current[name], schema)
		return nil
	}
}

// Upcast says how a payload written in schema from becomes one of schema to.
// Chains are followed step by step, each step once; to may carry another name.
// The function must be pure: it is run at every read, and what is stored stays.
func Upcast(from, to Type, apply func(data []byte) ([]byte, error)) Definition {
	return func(c *Codec) error {
		if _, ok := c.lift[from]; ok {
			return fmt.Errorf("upcast %s: there are two ways up from it", from)
		}
		c.lift[from] = lift{to: to, apply: apply}
		c.current[from.Name] = max(c.current[from.Name], from.Schema)
		return nil
	}
}

// NewCodec builds a codec and reports every fault of its definitions at once:
// a name or Go type used twice, an upcaster that leads nowhere or in a circle.
func NewCodec(definitions ...Definition) (*Codec, error) {
	c := &Codec{
		types:   make(map[reflect.Type]Type),
		decode:  make(map[Type]func([]byte) (any, error)),
		lift:    make(map[Type]lift),
		current: make(map[string]int),
	}
	var faults []error
	for _, define := range definitions {
		faults = append(faults, define(c))
	}
	for from := range c.lift {
		faults = append(faults, c.checkChain(from))
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	return c, nil
}

func (c *Codec) checkChain(from Type) error {
	at := from
	for range len(c.lift) {
		step, ok := c.lift[at]
		if !ok {
			break
		}
		if _, both := c.decode[at]; both {
			return fmt.Errorf("upcast %s: the type is both defined and lifted; only the newest schema is defined", at)
		}
		at = step.to
	}
	if _, ok := c.decode[at]; !ok {
		return fmt.Errorf("upcast %s: it ends at %s, which is not defined", from, at)
	}
	return nil
}

// Encode returns the written type and the bytes of a payload that was defined.
func (c *Codec) Encode(payload any) (Type, []byte, error) {
	t, ok := c.types[reflect.TypeOf(payload)]
	if !ok {
		return Type{}, nil, fmt.Errorf("%w: Go type %T is not defined in this codec", ErrUnknownType, payload)
	}
	var data bytes.Buffer
	encoder := json.NewEncoder(&data)
	encoder.SetEscapeHTML(false) // these bytes are for programs and people, not for a page
	if err := encoder.Encode(payload); err != nil {
		return Type{}, nil, fmt.Errorf("encode %s: %w", t, err)
	}
	return t, bytes.TrimSuffix(data.Bytes(), []byte("\n")), nil
}

// Decode lifts data to the newest schema and returns the payload struct by
// value. It returns ErrUnknownType or ErrMalformed; both depend on the event
// alone, so that trying again with the same program gives the same answer.
func (c *Codec) Decode(t Type, data []byte) (any, error) {
	for {
		step, ok := c.lift[t]
		if !ok {
			break
		}
		lifted, err := step.apply(data)
		if err != nil {
			return nil, fmt.Errorf("%w: lift %s to %s: %w", ErrMalformed, t, step.to, err)
		}
		t, data = step.to, lifted
	}
	if decode, ok := c.decode[t]; ok {
		return decode(data)
	}
	if newest, ok := c.current[t.Name]; ok && t.Schema > newest {
		return nil, fmt.Errorf("%w: %s is newer than schema %d, the newest that this program knows", ErrUnknownType, t, newest)
	}
	return nil, fmt.Errorf("%w: %s", ErrUnknownType, t)
}
