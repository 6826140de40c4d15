package scenario_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"passbook/internal/testenv"
)

// site is where one bank is: a data folder, and its engines.
type site struct {
	data     string
	settings map[string]string // of every process, by variable
	real     bool
}

// builder makes the engines of a new site, all of them empty.
type builder func(t testing.TB, data string) *site

func embedded(_ testing.TB, data string) *site {
	return &site{data: data, settings: map[string]string{
		"PASSBOOK_EVENT_STORE": "sqlite:" + filepath.Join(data, "events.db"),
		"PASSBOOK_READ_DB":     "sqlite:" + filepath.Join(data, "readmodel.db"),
		"PASSBOOK_NOTIFY_DB":   "sqlite:" + filepath.Join(data, "notify.db"),
		"PASSBOOK_BROKER":      "embedded:127.0.0.1:0",
		"PASSBOOK_TOPIC":       testenv.Topic,
	}}
}

func onServers(t testing.TB, data string) *site {
	brokers := testenv.Kafka(t)
	topic := testenv.Name(t)
	t.Cleanup(func() { require.NoError(t, deleteTopics(brokers, topic)) })
	return &site{data: data, real: true, settings: map[string]string{
		"PASSBOOK_EVENT_STORE": testenv.MongoDatabase(t),
		"PASSBOOK_READ_DB":     testenv.MySQLDatabase(t),
		"PASSBOOK_NOTIFY_DB":   testenv.MySQLDatabase(t),
		"PASSBOOK_BROKER":      "kafka://" + strings.Join(brokers, ","),
		"PASSBOOK_TOPIC":       topic,
	}}
}

// deleteTopics deletes a feed and what restores have made beside it.
func deleteTopics(brokers []string, prefix string) error {
	client, err := kgo.NewClient(kgo.SeedBrokers(brokers...))
	if err != nil {
		return err
	}
	defer client.Close()
	admin := kadm.NewClient(client)
	topics, err := admin.ListTopics(context.Background())
	if err != nil {
		return err
	}
	for _, name := range topics.Names() {
		if !strings.HasPrefix(name, prefix) {
			continue
		}
		if _, err := admin.DeleteTopic(context.Background(), name); err != nil && !errors.Is(err, kerr.UnknownTopicOrPartition) {
			return err
		}
	}
	return nil
}

// story is the state of one script.
type story struct {
	t         testing.TB
	build     builder
	work      string
	sites     map[string]*site
	here      *site
	processes map[string]*testenv.Passbook
}

type storyKey struct{}

func storyOf(ts *testscript.TestScript) *story { return ts.Value(storyKey{}).(*story) }

// visit goes to a site, and names its engines to the programs that the script
// runs.
func (s *story) visit(name string, setenv func(name, value string)) {
	if s.sites == nil {
		s.sites = make(map[string]*site)
	}
	here, known := s.sites[name]
	if !known {
		here = s.build(s.t, filepath.Join(s.work, name))
		s.sites[name] = here
	}
	s.here = here
	setenv("PASSBOOK_DATA", here.data)
	for variable, value := range here.settings {
		setenv(variable, value)
	}
	role := ",broker"
	if here.real {
		role = ""
	}
	setenv("BROKER_ROLE", role)
}

// serve starts a process on the engines of this site.
func (s *story) serve(ts *testscript.TestScript, name string, flags []string) {
	if s.processes == nil {
		s.processes = make(map[string]*testenv.Passbook)
	}
	if p, known := s.processes[name]; known && p.Running() {
		ts.Fatalf("%s runs already", name)
	}
	var args []string
	for variable, flag := range map[string]string{
		"PASSBOOK_EVENT_STORE": "--event-store", "PASSBOOK_READ_DB": "--read-db", "PASSBOOK_NOTIFY_DB": "--notify-db",
		"PASSBOOK_BROKER": "--broker", "PASSBOOK_TOPIC": "--topic",
	} {
		args = append(args, flag, s.here.settings[variable])
	}
	p := testenv.Start(s.t, s.here.data, append(args, flags...)...)
	s.processes[name] = p
	p.AwaitReady(s.t.Context())
	for variable, value := range map[string]string{"COMMAND": p.Command, "QUERY": p.Query, "NOTIFY": p.Notify} {
		if value != "" {
			ts.Setenv(variable, value)
			ts.Setenv("PASSBOOK_"+variable+"_URL", value)
		}
	}
	broker := s.here.settings["PASSBOOK_BROKER"]
	if !s.here.real {
		if p.Broker == "" {
			return // it has reached that of another process
		}
		broker = "kafka://" + p.Broker
	}
	ts.Setenv("REACH_BROKER", "--broker="+broker)
	ts.Setenv("PASSBOOK_BROKER", broker) // for verify beside it
}

// end stops what still runs, before its folder goes.
func (s *story) end() {
	for _, p := range s.processes {
		if p.Running() {
			p.Stop()
		}
	}
}
