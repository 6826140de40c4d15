package deploy_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func fmtPort(port int) string { return strconv.Itoa(port) }

// Each broker is known to the others by the name under which it can be reached,
// and everybody is told of all three.
func TestCompose_Kafka(t *testing.T) {
	t.Parallel()
	project := readCompose(t)
	var voters, brokers []string
	for i, name := range members("kafka") {
		environment := project.Services[name].env()
		node := strconv.Itoa(i + 1)
		require.Equal(t, node, environment["KAFKA_NODE_ID"])
		require.Equal(t, "broker,controller", environment["KAFKA_PROCESS_ROLES"])
		require.NotEmpty(t, environment["CLUSTER_ID"])
		require.Equal(t, project.Services["kafka-1"].env()["CLUSTER_ID"], environment["CLUSTER_ID"])
		voters = append(voters, node+"@"+name+":9093")
		brokers = append(brokers, name+":9092")
		checkListeners(t, project.Services[name], name, environment["KAFKA_ADVERTISED_LISTENERS"])
	}
	for _, name := range members("kafka") {
		require.Equal(t, strings.Join(voters, ","), project.Services[name].env()["KAFKA_CONTROLLER_QUORUM_VOTERS"])
	}
	for _, name := range append(roles(), "ops") {
		require.Equal(t, "kafka://"+strings.Join(brokers, ","), project.Services[name].env()["PASSBOOK_BROKER"], name)
	}
}

func checkListeners(t *testing.T, s composeService, name, advertised string) {
	t.Helper()
	require.Len(t, s.Ports, 1)
	require.Equal(t, 9094, s.Ports[0].Target)
	require.Equal(t, "PLAINTEXT://"+name+":9092,HOST://localhost:"+s.Ports[0].Published, advertised)
}

// With ZooKeeper the brokers have the same settings, less those of KRaft.
func TestCompose_ZooKeeper(t *testing.T) {
	t.Parallel()
	kraft, project := readCompose(t), readCompose(t, "compose.zookeeper.yaml")
	require.ElementsMatch(t, append(slices.Collect(maps.Keys(kraft.Services)), members("zookeeper")...),
		slices.Collect(maps.Keys(project.Services)))
	properties := readProperties(t, filepath.Join(deployment, "compose", "kafka-zookeeper.properties"))
	for i, name := range members("kafka") {
		s := project.Services[name]
		for variable := range s.Environment {
			require.False(t, strings.HasPrefix(variable, "KAFKA_"), "%s is a setting of KRaft's entry point", variable)
		}
		require.NotEqual(t, kraft.Services[name].Volumes, s.Volumes, "each kind has its data")
		require.Equal(t, kraft.Services[name].Healthcheck, s.Healthcheck)
		given := make(map[string]string)
		for at := 2; at < len(s.Command); at += 2 {
			require.Equal(t, "--override", s.Command[at])
			key, value, _ := strings.Cut(s.Command[at+1], "=")
			given[key] = value
		}
		require.Equal(t, strconv.Itoa(i+1), given["broker.id"])
		checkListeners(t, s, name, given["advertised.listeners"])
		require.Contains(t, s.Configs, struct{ Source, Target string }{"kafka-zookeeper", s.Command[1]})
	}
	for variable, value := range kraft.Services["kafka-1"].env() {
		name := strings.ToLower(strings.ReplaceAll(strings.TrimPrefix(variable, "KAFKA_"), "_", "."))
		switch name {
		case "cluster.id", "process.roles", "node.id", "controller.quorum.voters", "controller.listener.names", "advertised.listeners":
			require.NotContains(t, properties, name)
		case "listeners", "listener.security.protocol.map":
			require.Equal(t, withoutController(value), properties[name])
		default:
			require.Equal(t, value, properties[name], name)
		}
	}
	for i, name := range members("zookeeper") {
		environment := project.Services[name].env()
		require.Equal(t, strconv.Itoa(i+1), environment["ZOO_MY_ID"])
		require.Contains(t, environment["ZOO_SERVERS"], fmt.Sprintf("server.%d=%s:2888:3888;2181", i+1, name))
		require.Contains(t, properties["zookeeper.connect"], name+":2181")
	}
}

func withoutController(list string) string {
	kept := slices.DeleteFunc(strings.Split(list, ","), func(one string) bool { return strings.HasPrefix(one, "CONTROLLER:") })
	return strings.Join(kept, ",")
}

func readProperties(t *testing.T, path string) map[string]string {
	t.Helper()
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	found := make(map[string]string)
	for line := range strings.Lines(string(content)) {
		if key, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok && !strings.HasPrefix(line, "#") {
			require.NotContains(t, found, key)
			found[key] = value
		}
	}
	return found
}
