package cluster_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"passbook/internal/testenv"
)

// bank is one installation of passbook on the engines: databases and a topic of
// its own, and the processes that share them.
type bank struct {
	t       *testing.T
	engines *engines
	topic   string
	stores  []string // the settings that say where everything is
	sql     *sql.DB  // the server of the read side, past its proxy
	kafka   *kgo.Client
	admin   *kadm.Client
	hooks   *hooks

	command, relay, query, notify []*process
}

// process is one place for a passbook process: who is started there is the
// successor of who was there before.
type process struct {
	bank    *bank
	role    string
	data    string
	current atomic.Pointer[testenv.Passbook]
}

func (e *engines) newBank(t *testing.T) *bank {
	t.Helper()
	b := &bank{t: t, engines: e, topic: testenv.Name(t), hooks: newHooks(t)}
	config := mysql.NewConfig()
	config.User, config.Passwd, config.Net, config.Addr = "passbook", "passbook", "tcp", e.mysql.direct
	connector, err := mysql.NewConnector(config)
	require.NoError(t, err)
	b.sql = sql.OpenDB(connector)
	t.Cleanup(func() { _ = b.sql.Close() })
	read, told := b.topic+"_r", b.topic+"_n"
	for _, name := range []string{read, told} {
		_, err := b.sql.ExecContext(t.Context(), "CREATE DATABASE "+name)
		require.NoError(t, err)
	}
	server := "mysql://passbook:passbook@" + e.mysql.proxy.Listen + "/"
	b.stores = []string{
		"--event-store", "mongodb://" + addrs(e.members) + "/" + b.topic + "?replicaSet=rs0",
		"--read-db", server + read, "--broker", "kafka://" + addrs(e.brokers), "--topic", b.topic,
	}
	var direct []string
	for _, broker := range e.brokers {
		direct = append(direct, broker.direct)
	}
	b.kafka, err = kgo.NewClient(kgo.SeedBrokers(direct...), kgo.MetadataMinAge(50*time.Millisecond))
	require.NoError(t, err)
	t.Cleanup(b.kafka.Close)
	b.admin = kadm.NewClient(b.kafka)
	return b
}

// open starts so many processes of each kind.
func (b *bank) open(command, relay, query, notify int) {
	b.t.Helper()
	for _, kind := range []struct {
		role      string
		count     int
		processes *[]*process
	}{
		{"command", command, &b.command},
		{"relay", relay, &b.relay},
		{"query", query, &b.query},
		{"notify", notify, &b.notify},
	} {
		for range kind.count {
			p := b.place(kind.role)
			p.start()
			*kind.processes = append(*kind.processes, p)
		}
	}
	b.awaitReady()
}

func (b *bank) place(role string) *process {
	return &process{bank: b, role: role, data: b.t.TempDir()}
}

// awaitReady waits until every process says that it is.
func (b *bank) awaitReady() {
	b.t.Helper()
	for _, kind := range [][]*process{b.command, b.relay, b.query, b.notify} {
		for _, p := range kind {
			p.current.Load().AwaitReady(b.t.Context())
		}
	}
}

// start returns once the process listens, which says nothing of its engines.
func (p *process) start() {
	p.bank.t.Helper()
	args := append([]string{"--roles", p.role, "--rate-limit", "1000000"}, p.bank.stores...)
	switch p.role {
	case "notify":
		args = append(args, "--notify-db", p.bank.notifyDB())
		args = append(args, p.bank.hooks.settings()...)
	case "relay":
		args = append(args, "--ops-addr", "127.0.0.1:0")
	}
	p.current.Store(testenv.Start(p.bank.t, p.data, args...))
}

// notifyDB is the database beside the read database.
func (b *bank) notifyDB() string {
	return "mysql://passbook:passbook@" + b.engines.mysql.proxy.Listen + "/" + b.topic + "_n"
}

// kill ends what runs there as a power cut would.
func (p *process) kill() { p.current.Load().Kill() }

// base is the URL at which the process is asked.
func (p *process) base() string {
	now := p.current.Load()
	return now.Command + now.Query + now.Notify + now.Ops // each process has one
}

// unready returns the reasons why the process is not ready, "" if it is.
func (p *process) unready() string {
	status, body := fetch(p.base() + "/readyz")
	if status == http.StatusOK {
		return ""
	}
	return body
}

// asking is how the test looks at processes, which may hang.
var asking = &http.Client{Timeout: 10 * time.Second}

// fetch gets a page; status 0 means that there was no answer.
func fetch(url string) (status int, body string) {
	request, err := http.NewRequestWithContext(context.Background(), http.MethodGet, url, nil)
	if err != nil {
		return 0, err.Error()
	}
	response, err := asking.Do(request)
	if err != nil {
		return 0, err.Error()
	}
	defer func() { _ = response.Body.Close() }()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, err.Error()
	}
	return response.StatusCode, string(content)
}

// fetchJSON gets a page as a value.
func fetchJSON(url string, value any) error {
	status, body := fetch(url)
	if status != http.StatusOK {
		return fmt.Errorf("%s answers %d: %s", url, status, body)
	}
	return json.Unmarshal([]byte(body), value)
}

// verify runs "passbook verify" on the bank, and returns what it prints.
func (b *bank) verify() string {
	b.t.Helper()
	run := exec.CommandContext(b.t.Context(), testenv.Program(b.t), append([]string{"verify", "--data", b.t.TempDir()}, b.stores...)...)
	output, err := run.CombinedOutput()
	require.NoError(b.t, err, "%s", output)
	return strings.TrimSpace(string(output))
}
