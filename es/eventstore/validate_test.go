package eventstore_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"passbook/es/event"
	"passbook/es/eventstore"
)

func TestSubmit_Invalid(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	store := start(t, e, eventstore.Config{})
	for name, change := range map[string]func(c *eventstore.Commit){
		"no stream":         func(c *eventstore.Commit) { c.Stream = "" },
		"long stream":       func(c *eventstore.Commit) { c.Stream = strings.Repeat("x", 256) },
		"no such version":   func(c *eventstore.Commit) { c.Expected = -2 },
		"many events":       func(c *eventstore.Commit) { *c = opening("a", 1001) },
		"long key":          func(c *eventstore.Commit) { c.Key.Value = strings.Repeat("x", 256) },
		"long client":       func(c *eventstore.Commit) { c.Key = event.Key{Client: strings.Repeat("x", 256), Value: "k"} },
		"large result":      func(c *eventstore.Commit) { c.Result = make([]byte, 256<<10+1) },
		"key without event": func(c *eventstore.Commit) { *c = keyed(opening("a", 0), "k") },
		"no id":             func(c *eventstore.Commit) { c.Events[1].ID = "" },
		"no type":           func(c *eventstore.Commit) { c.Events[1].Type.Name = "" },
		"no schema":         func(c *eventstore.Commit) { c.Events[1].Type.Schema = 0 },
		"no time":           func(c *eventstore.Commit) { c.Events[1].Time = time.Time{} },
		"fine time":         func(c *eventstore.Commit) { c.Events[1].Time = c.Events[1].Time.Add(1) },
		"large payload":     func(c *eventstore.Commit) { c.Events[1].Data = make([]byte, 1<<20+1) },
		"large commit": func(c *eventstore.Commit) {
			*c = opening("a", 9)
			for i := range c.Events {
				c.Events[i].Data = make([]byte, 1<<20)
			}
		},
	} {
		c := opening("a", 2)
		change(&c)
		_, err := store.Append(t.Context(), c)
		require.ErrorIs(t, err, eventstore.ErrInvalid, name)
		require.Less(t, len(err.Error()), 200, name)
		require.Zero(t, e.top(), name)
	}
}

// TestSubmit_Limits: what is just within the limits is written.
func TestSubmit_Limits(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	store := start(t, e, eventstore.Config{})
	c := keyed(opening(strings.Repeat("x", 255), 1000), strings.Repeat("k", 255))
	c.Key.Client = strings.Repeat("c", 255)
	c.Result = make([]byte, 256<<10)
	for i := range 7 {
		c.Events[i].Data = bytes.Repeat([]byte("x"), 1<<20)
	}
	receipt, err := store.Append(t.Context(), c)
	require.NoError(t, err)
	require.Equal(t, eventstore.Receipt{Version: 999, Position: 1000}, receipt)
}
