package kafka_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"passbook/engine/kafka"
)

func TestNew_ReportsEveryFault(t *testing.T) {
	_, err := kafka.New(kafka.Config{
		Partitions: -1, Replicas: -1, RunMax: -1,
		SessionTimeout: time.Second, HeartbeatInterval: time.Second, GroupProtocol: "share",
	})
	require.Error(t, err)
	for _, setting := range []string{"Brokers", "Topic", "Partitions", "Replicas", "RunMax", "SessionTimeout", "GroupProtocol"} {
		require.Contains(t, err.Error(), setting)
	}
	require.Len(t, strings.Split(err.Error(), "\n"), 7, "a line each")
}

func TestNew_CallsNobody(t *testing.T) {
	b, err := kafka.New(kafka.Config{Brokers: []string{"127.0.0.1:1"}, Topic: "t"})
	require.NoError(t, err)
	b.Close()
}

func TestRun_EmptyGroup(t *testing.T) {
	b := newBus(t, []string{"127.0.0.1:1"})
	require.ErrorContains(t, b.Run(t.Context(), "", nil), "group is empty")
}

func TestRun_ClosedBus(t *testing.T) {
	c := startCluster(t)
	b := newBus(t, c.ListenAddrs())
	b.Close()
	require.ErrorContains(t, b.Run(within(t), "g", newTally()), "closed")
}
