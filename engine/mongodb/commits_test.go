package mongodb_test

import (
	"context"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"passbook/engine/mongodb"
	"passbook/es/event"
	"passbook/es/eventstore"
)

// happened returns an event; left says how many of its commit come behind it.
func happened(stream string, version int64, left int) event.Envelope {
	return event.Envelope{
		ID: event.NewID(), Stream: stream, Category: "account", Version: version,
		Type:     event.Type{Name: "passbook.account.deposited", Schema: 1},
		Time:     event.Truncate(time.Now()),
		Data:     fmt.Appendf(nil, `{"amount":{"amount":"%d.50","currency":"EUR"},"balance":{"amount":"112.50","currency":"EUR"},"reference":"invoice 4711"}`, version),
		Metadata: event.Metadata{CorrelationID: event.NewID(), CausationID: strconv.Itoa(left)},
	}
}

// commit returns a commit of n events.
func commit(stream string, expected int64, n int) eventstore.Commit {
	c := eventstore.Commit{Stream: stream, Expected: expected}
	for i := range n {
		c.Events = append(c.Events, happened(stream, expected+1+int64(i), n-1-i))
	}
	return c
}

func opening(stream string, n int) eventstore.Commit { return commit(stream, event.NoVersion, n) }

func keyed(c eventstore.Commit, key string) eventstore.Commit {
	c.Key = event.Key{Client: "me", Value: key}
	c.RequestHash, c.Result = []byte("hash"), []byte("result of "+c.Stream)
	return c
}

// mustAppend appends a group, all of which has to be written from first on.
func mustAppend(t testing.TB, store *mongodb.EventStore, first int64, group ...eventstore.Commit) {
	t.Helper()
	outcomes, err := store.Append(t.Context(), first, group)
	require.NoError(t, err)
	for i, c := range group {
		require.Equal(t, eventstore.Outcome{State: eventstore.Written, Position: first}, outcomes[i], "commit %d", i)
		first += int64(len(c.Events))
	}
}

// readAll reads the whole store, which has to be sound: positions, versions and
// commits without a gap, every event id once.
func readAll(t testing.TB, store *mongodb.EventStore) []event.Envelope {
	t.Helper()
	var all []event.Envelope
	ids, versions, left := make(map[string]bool), make(map[string]int64), "0"
	for {
		page, err := store.ReadAll(context.WithoutCancel(t.Context()), int64(len(all)), 1000)
		require.NoError(t, err)
		if len(page) == 0 {
			require.Equal(t, "0", left, "the store ends within a commit")
			return all
		}
		for _, e := range page {
			require.Equal(t, int64(len(all)+1), e.Position)
			require.Equal(t, versions[e.Stream], e.Version, "stream %s at position %d", e.Stream, e.Position)
			require.False(t, ids[e.ID], "event id %s is there twice", e.ID)
			if n, _ := strconv.Atoi(left); n > 0 {
				require.Equal(t, strconv.Itoa(n-1), e.Metadata.CausationID, "a commit without its end, before position %d", e.Position)
			}
			left = e.Metadata.CausationID
			ids[e.ID] = true
			versions[e.Stream]++
			all = append(all, e)
		}
	}
}

// requireOneLine checks an error as people see it.
func requireOneLine(t testing.TB, err error, words ...string) {
	t.Helper()
	require.Error(t, err)
	require.NotContains(t, err.Error(), "\n")
	for _, word := range words {
		require.Contains(t, err.Error(), word)
	}
}
