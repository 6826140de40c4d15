package mongodb_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"passbook/es/event"
	"passbook/es/eventstore"
)

// A group whose documents are more than the server takes in one command, because of
// results, which count for nothing where a group is put together. In the midst of it
// stands a commit whose place another process has taken.
func TestAppend_GroupLargerThanACommand(t *testing.T) {
	t.Parallel()
	const commits, lost, resultBytes = 70, 66, 256 << 10
	room := newRoom(t)
	ours, theirs := room.open(t), room.open(t)
	stream := func(i int) string { return fmt.Sprintf("account-%d", i) }
	mustAppend(t, theirs, 1, opening(stream(lost), 1))

	var group []eventstore.Commit
	for i := range commits {
		c := keyed(opening(stream(i), 1), fmt.Sprintf("key-%d", i))
		c.Result = bytes.Repeat([]byte{byte(i)}, resultBytes)
		group = append(group, c)
	}
	outcomes, err := ours.Append(t.Context(), 2, group)
	require.NoError(t, err)
	for i := range lost {
		require.Equal(t, eventstore.Outcome{State: eventstore.Written, Position: int64(i) + 2}, outcomes[i], "commit %d", i)
	}
	require.Equal(t, eventstore.Outcome{State: eventstore.Conflict}, outcomes[lost])
	require.Equal(t, eventstore.NotTried, outcomes[commits-1].State)
	require.Len(t, readAll(t, ours), 1+lost)
	found, err := ours.FindKey(t.Context(), event.Key{Client: "me", Value: "key-65"})
	require.NoError(t, err)
	require.Equal(t, group[65].Result, found.Result)
}
