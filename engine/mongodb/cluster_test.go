package mongodb_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"passbook/internal/testenv"
)

// programVariable names the server's program, for tests that kill members.
const programVariable = "PASSBOOK_TEST_MONGOD"

// cluster is a replica set of three members of this test's own.
type cluster struct {
	t       testing.TB
	program string
	folder  string
	members []*member
}

type member struct {
	addr, data string
	process    *exec.Cmd
}

func newCluster(t testing.TB) *cluster {
	t.Helper()
	program := os.Getenv(programVariable)
	if program == "" {
		t.Skipf("SKIPPED, NOT TESTED: missing: a MongoDB server to start and kill: set %s to the path of mongod", programVariable)
	}
	c := &cluster{t: t, program: program, folder: t.TempDir()}
	t.Cleanup(c.end)
	var members bson.A
	for i := range 3 {
		m := &member{addr: testenv.FreeAddr(t), data: filepath.Join(c.folder, strconv.Itoa(i))}
		require.NoError(t, os.Mkdir(m.data, 0o700))
		c.members = append(c.members, m)
		c.start(m)
		members = append(members, bson.D{{Key: "_id", Value: i}, {Key: "host", Value: m.addr}})
	}
	initiate := bson.D{{Key: "replSetInitiate", Value: bson.D{
		{Key: "_id", Value: "rs0"}, {Key: "members", Value: members},
		{Key: "settings", Value: bson.D{{Key: "electionTimeoutMillis", Value: 2000}}},
	}}}
	require.Eventually(t, func() bool { return c.members[0].run(initiate) == nil }, time.Minute, 100*time.Millisecond)
	c.primary()
	return c
}

func (c *cluster) start(m *member) {
	c.t.Helper()
	host, port, _ := strings.Cut(m.addr, ":")
	m.process = exec.Command(c.program, "--dbpath", m.data, "--replSet", "rs0", "--bind_ip", host, "--port", port,
		"--wiredTigerCacheSizeGB", "0.25", "--logpath", m.data+".log", "--logappend")
	require.NoError(c.t, m.process.Start())
}

// end ends the members that run.
func (c *cluster) end() {
	for _, m := range c.members {
		if m.process != nil {
			c.kill(m)
		}
	}
}

// kill ends a member as a power cut would.
func (c *cluster) kill(m *member) {
	_ = m.process.Process.Kill() // it may be stopped, or gone
	_ = m.process.Wait()
	m.process = nil
}

// pause stops a member for a while that the test decides, by the function that it
// returns.
func (c *cluster) pause(m *member) (resume func()) {
	c.t.Helper()
	process := m.process.Process
	require.NoError(c.t, process.Signal(syscall.SIGSTOP))
	return func() { _ = process.Signal(syscall.SIGCONT) }
}

// stepDown has a primary give its place up.
func (m *member) stepDown() error {
	return m.run(bson.D{{Key: "replSetStepDown", Value: 3}, {Key: "secondaryCatchUpPeriodSecs", Value: 1}})
}

// run runs a command on this member, whatever its state is.
func (m *member) run(command bson.D) error {
	_, err := m.ask(command)
	return err
}

func (m *member) ask(command bson.D) (answer bson.Raw, err error) {
	client, err := mongo.Connect(options.Client().ApplyURI("mongodb://" + m.addr + "/?directConnection=true").
		SetTimeout(5 * time.Second))
	if err != nil {
		return nil, err
	}
	defer func() { _ = client.Disconnect(context.Background()) }()
	return client.Database("admin").RunCommand(context.Background(), command).Raw()
}

// primary waits for a member that can be written to.
func (c *cluster) primary() (found *member) {
	c.t.Helper()
	require.Eventually(c.t, func() bool {
		for _, m := range c.members {
			if m.process == nil {
				continue
			}
			hello, err := m.ask(bson.D{{Key: "hello", Value: 1}})
			if err == nil && hello.Lookup("isWritablePrimary").Boolean() {
				found = m
				return true
			}
		}
		return false
	}, 2*time.Minute, 50*time.Millisecond)
	return found
}

func (c *cluster) url() string {
	var hosts []string
	for _, m := range c.members {
		hosts = append(hosts, m.addr)
	}
	return "mongodb://" + strings.Join(hosts, ",") + "/?replicaSet=rs0"
}
