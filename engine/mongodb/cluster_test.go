package mongodb_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"passbook/internal/testenv"
)

// cluster is a replica set of three members of this test's own.
type cluster struct {
	t testing.TB
	*testenv.Members
	// away is a member that does not run or was stopped; nothing if all are there.
	away string
}

func newCluster(t testing.TB) *cluster {
	t.Helper()
	return &cluster{t: t, Members: testenv.StartMembers(t, 3)}
}

// primary waits for a member that can be written to.
func (c *cluster) primary() (found string) {
	c.t.Helper()
	require.Eventually(c.t, func() bool {
		for _, addr := range c.Addrs {
			if addr == c.away {
				continue
			}
			hello, err := ask(addr, bson.D{{Key: "hello", Value: 1}})
			if err == nil && hello.Lookup("isWritablePrimary").Boolean() {
				found = addr
				return true
			}
		}
		return false
	}, 2*time.Minute, 50*time.Millisecond)
	return found
}

// disturb takes the primary away in one of three ways, and brings it back as a
// secondary once there is another.
func (c *cluster) disturb(round int) (how string) {
	c.t.Helper()
	primary := c.primary()
	switch round % 3 {
	case 0:
		c.away = primary
		c.Kill(primary)
		c.primary()
		c.Restart()
		how = "killed"
	case 1:
		c.away = primary
		c.Stop(primary)
		c.primary()
		c.Continue(primary)
		how = "stopped"
	case 2:
		how = "stepped down"
		if err := stepDown(primary); err != nil {
			how = "not the primary any more when it was to step down: " + err.Error()
		}
	}
	c.away = ""
	return how
}

// stepDown has a primary give its place up.
func stepDown(addr string) error {
	_, err := ask(addr, bson.D{{Key: "replSetStepDown", Value: 3}, {Key: "secondaryCatchUpPeriodSecs", Value: 1}})
	return err
}

// ask runs a command on one member, whatever its state is.
func ask(addr string, command bson.D) (answer bson.Raw, err error) {
	client, err := mongo.Connect(options.Client().ApplyURI("mongodb://" + addr + "/?directConnection=true").
		SetTimeout(5 * time.Second))
	if err != nil {
		return nil, err
	}
	defer func() { _ = client.Disconnect(context.Background()) }()
	return client.Database("admin").RunCommand(context.Background(), command).Raw()
}
