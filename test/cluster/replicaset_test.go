package cluster_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// proxyMembers has the members know each other, and clients find them, at their
// proxies.
func (e *engines) proxyMembers(t *testing.T) {
	t.Helper()
	var answer struct {
		Config bson.M `bson:"config"`
	}
	primary := e.primary(t)
	require.NoError(t, primary.run(t.Context(), bson.D{{Key: "replSetGetConfig", Value: 1}}, &answer))
	members, ok := answer.Config["members"].(bson.A)
	require.True(t, ok)
	for i, each := range members {
		member, ok := each.(bson.D)
		require.True(t, ok)
		for j := range member {
			if member[j].Key == "host" {
				require.Equal(t, e.members[i].direct, member[j].Value)
				member[j].Value = e.members[i].proxy.Listen
			}
		}
	}
	version, ok := answer.Config["version"].(int32)
	require.True(t, ok)
	answer.Config["version"] = version + 1
	require.NoError(t, primary.run(t.Context(), bson.D{{Key: "replSetReconfig", Value: answer.Config}}, nil))
	e.primary(t)
}

// primary waits until there is one that the others agree with.
func (e *engines) primary(t *testing.T) *node {
	t.Helper()
	var found *node
	await(t, func() string {
		found = nil
		secondaries := 0
		for _, m := range e.members {
			var hello struct {
				IsWritablePrimary, Secondary bool
			}
			if m.run(t.Context(), bson.D{{Key: "hello", Value: 1}}, &hello) != nil {
				continue
			}
			if hello.IsWritablePrimary {
				found = m
			}
			if hello.Secondary {
				secondaries++
			}
		}
		return unless(found != nil && secondaries > 0, "the replica set has no primary")
	})
	return found
}

// others are the members but one.
func (e *engines) others(than *node) []*node {
	return slices.DeleteFunc(slices.Clone(e.members), func(n *node) bool { return n == than })
}

// run asks one member for something, whatever it is, past its proxy.
func (n *node) run(ctx context.Context, command bson.D, answer any) error {
	const silence = 10 * time.Second // of a member that is dead or has just been started
	ctx, cancel := context.WithTimeout(ctx, silence)
	defer cancel()
	client, err := mongo.Connect(options.Client().ApplyURI("mongodb://" + n.direct + "/?directConnection=true").
		SetServerSelectionTimeout(time.Second))
	if err != nil {
		return err
	}
	defer func() { _ = client.Disconnect(ctx) }()
	result := client.Database("admin").RunCommand(ctx, command)
	if answer == nil {
		return result.Err()
	}
	return result.Decode(answer)
}
