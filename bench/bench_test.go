package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"net"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.mongodb.org/mongo-driver/v2/bson"

	"passbook/engine/kafka"
	"passbook/internal/testenv"
)

func TestMain(m *testing.M) {
	code := m.Run()
	testenv.Cleanup()
	os.Exit(code)
}

func embedded(t *testing.T) Config {
	t.Helper()
	return Config{
		Program: testenv.Program(t), EventStore: "sqlite", ReadDB: "sqlite", Folder: t.TempDir(),
		Duration: 100 * time.Millisecond, Callers: 8, Connections: 4, Accounts: 20,
	}
}

// figures checks that a result is one.
func figures(t *testing.T, name string, r Result) {
	t.Helper()
	require.Equal(t, name, r.Name)
	require.Positive(t, r.Value)
	require.Positive(t, r.Yardstick)
	require.InEpsilon(t, r.Value/r.Yardstick, r.Ratio, 1e-9)
	for _, text := range []string{r.Unit, r.YardstickIs, r.Engines, r.Conditions} {
		require.NotEmpty(t, text)
	}
	timed := !slices.Contains([]string{"relay", "projection", "restore"}, name)
	require.Equal(t, timed, r.P50 != nil, "whether there are latencies")
	if timed {
		require.Positive(t, *r.P50)
		require.True(t, slices.IsSorted([]float64{*r.P50, *r.P99, *r.P999, *r.Max}))
	}
	for _, f := range r.Beside {
		require.NotEmpty(t, f.Name)
		require.Positive(t, f.Value, f.Name)
	}
}

func TestRun_Embedded(t *testing.T) {
	for _, name := range Names() {
		t.Run(name, func(t *testing.T) {
			config := embedded(t)
			var told, total time.Duration
			config.Progress = func(done, all time.Duration) {
				require.GreaterOrEqual(t, done, told, "it goes on")
				require.LessOrEqual(t, done, all)
				told, total = done, all
			}
			result, err := Run(t.Context(), name, config)
			require.NoError(t, err)
			figures(t, name, result)
			require.Equal(t, "SQLite, SQLite, embedded broker", result.Engines)
			require.Equal(t, total, told, "in the end all is done")
			left, err := os.ReadDir(config.Folder)
			require.NoError(t, err)
			require.Empty(t, left)
		})
	}
}

func TestRun_RealEngines(t *testing.T) {
	config := embedded(t)
	config.EventStore = withDatabase(testenv.MongoDB(t), "not_touched")
	config.ReadDB = withDatabase(testenv.MySQL(t), "not_touched")
	config.Broker = kafka.Config{Brokers: testenv.Kafka(t)}
	for _, name := range Names() {
		t.Run(name, func(t *testing.T) {
			config := config
			if name == "append" {
				config.Processes = []int{2}
			}
			b, err := newBench(config)
			require.NoError(t, err)
			all := programs()
			i := slices.IndexFunc(all, func(p program) bool { return p.name == name })
			result, err := all[i].run(t.Context(), b)
			require.NoError(t, b.close())
			require.NoError(t, err)
			result.Name, result.Engines = name, b.engines()
			figures(t, name, result)
			require.Equal(t, "MongoDB, MySQL, Kafka", result.Engines)
			require.Len(t, result.Beside, map[string]int{"append": 1, "commands": 1, "hot-account": 1, "queries": 4, "end-to-end": 3}[name])
			for _, left := range onServers(t, config) {
				require.NotContains(t, left, b.name)
				require.NotEqual(t, "not_touched", left)
			}
		})
	}
}

// onServers lists databases, topics and consumer groups.
func onServers(t *testing.T, c Config) []string {
	t.Helper()
	db, err := openMongoDB(c.EventStore)
	require.NoError(t, err)
	defer db.Client().Disconnect(context.Background())
	names, err := db.Client().ListDatabaseNames(t.Context(), bson.D{})
	require.NoError(t, err)

	mysql, err := openMySQL(c.ReadDB)
	require.NoError(t, err)
	defer mysql.Close()
	databases, err := selectAll(t.Context(), mysql, "information_schema.schemata")
	require.NoError(t, err)
	for _, row := range databases.rows {
		names = append(names, row[databases.column("SCHEMA_NAME")].(string))
	}

	client, err := kgo.NewClient(clientOptions(c.Broker, c.Broker.Brokers)...)
	require.NoError(t, err)
	defer client.Close()
	topics, err := kadm.NewClient(client).ListTopics(t.Context())
	require.NoError(t, err)
	groups, err := kadm.NewClient(client).ListGroups(t.Context())
	require.NoError(t, err)
	return slices.Concat(names, topics.Names(), groups.Groups())
}

func TestRun_Interrupted(t *testing.T) {
	for _, name := range Names() {
		t.Run(name, func(t *testing.T) {
			config := embedded(t)
			config.Duration = time.Hour
			if name == "relay" || name == "projection" || name == "restore" {
				config.Duration = time.Second // for so long events are made up
			}
			ctx, interrupt := context.WithCancel(t.Context())
			config.Progress = func(done, _ time.Duration) {
				if done > 0 {
					interrupt() // in the middle of measuring
				}
			}
			_, err := Run(ctx, name, config)
			require.ErrorIs(t, err, context.Canceled)
			left, err := os.ReadDir(config.Folder)
			require.NoError(t, err)
			require.Empty(t, left)
		})
	}
}

func TestRun_ServicesEndWithIt(t *testing.T) {
	b, err := newBench(embedded(t))
	require.NoError(t, err)
	addr, err := b.deployCommand(t.Context())
	require.NoError(t, err)
	conn, err := net.Dial("tcp", addr)
	require.NoError(t, err)
	require.NoError(t, conn.Close())
	require.NoError(t, b.close())
	_, err = net.Dial("tcp", addr)
	require.Error(t, err)
}

func TestRun_Refused(t *testing.T) {
	config := embedded(t)
	_, err := Run(t.Context(), "speed", config)
	require.ErrorContains(t, err, `no bench "speed"`)
	config.Processes = []int{2}
	_, err = Run(t.Context(), "append", config)
	require.ErrorContains(t, err, "--processes")
	config.Processes = nil
	config.Program = os.Args[0] + "-not-there"
	_, err = Run(t.Context(), "queries", config)
	require.ErrorContains(t, err, "start a service")
	left, err := os.ReadDir(config.Folder)
	require.NoError(t, err)
	require.Empty(t, left)
}

// What is configured for real must not get into a bench: it would notify people,
// or ask for keys.
func TestService_KnowsNoSettingsButItsOwn(t *testing.T) {
	t.Setenv("PASSBOOK_API_KEYS", "/etc/passbook/keys")
	t.Setenv("PASSBOOK_NOTIFY_SMTP_URL", "smtp://mail.example.org")
	env := environment([]string{"PASSBOOK_KAFKA_SASL_USER=u"}, settings{"ROLES": "command"})
	var ours []string
	for _, entry := range env {
		if strings.HasPrefix(entry, "PASSBOOK_") {
			ours = append(ours, entry)
		}
	}
	require.Equal(t, []string{"PASSBOOK_KAFKA_SASL_USER=u", "PASSBOOK_ROLES=command"}, ours)
}

func TestWithDatabase(t *testing.T) {
	for _, c := range []struct{ address, want string }{
		{"mongodb://a:1,b:2/passbook?replicaSet=r", "mongodb://a:1,b:2/x?replicaSet=r"},
		{"mongodb://a:1/?replicaSet=r", "mongodb://a:1/x?replicaSet=r"},
		{"mongodb://a:1", "mongodb://a:1/x"},
		{"mongodb://u:p@a:1/passbook", "mongodb://u:p@a:1/x?authSource=passbook"},
		{"mongodb://u:p@a:1/passbook?w=1", "mongodb://u:p@a:1/x?w=1&authSource=passbook"},
		{"mongodb://u:p@a:1/passbook?authSource=admin", "mongodb://u:p@a:1/x?authSource=admin"},
		{"mongodb://u:p@a:1", "mongodb://u:p@a:1/x"}, // in admin, as ever
		{"mysql://u:p@h:1/passbook?tls=true", "mysql://u:p@h:1/x?tls=true"},
	} {
		require.Equal(t, c.want, withDatabase(c.address, "x"), c.address)
	}
}

func TestResult(t *testing.T) {
	ms := func(v float64) *float64 { return &v }
	r := Figure{Name: "append", Value: 31204, Unit: "events/s", P50: ms(8.125), P99: ms(14.2), P999: ms(20), Max: ms(1234)}.against(50000, "bare inserts")
	r.Engines, r.Duration, r.Conditions = "SQLite", 10, "256 callers"
	r.Beside = []Figure{{Name: "2 processes", Value: 9.999, Unit: "events/s", P50: ms(1), P99: ms(2), P999: ms(3), Max: ms(4)}, {Name: "bare", Value: 1e6, Unit: "events/s"}}

	var text bytes.Buffer
	require.NoError(t, r.WriteText(&text))
	require.Equal(t, `append: 31,204 events/s; yardstick 50,000 events/s (bare inserts); ratio 0.62
  latency: p50 8.12 ms, p99 14.2 ms, p99.9 20.0 ms, max 1,234 ms
  2 processes: 10.00 events/s; p50 1.00 ms, p99 2.00 ms, p99.9 3.00 ms, max 4.00 ms
  bare: 1,000,000 events/s
  on SQLite; 256 callers, 10s each
`, text.String())

	text.Reset()
	require.NoError(t, r.WriteRow(&text))
	require.Equal(t, "| append | 31,204 events/s | 50,000 (bare inserts) | 0.62 | 8.12 / 14.2 / 20.0 / 1,234 | "+
		"2 processes 10.00 events/s (p99 2.00 ms); bare 1,000,000 events/s; 256 callers |\n", text.String())

	data, err := json.Marshal(r)
	require.NoError(t, err)
	var members map[string]any
	require.NoError(t, json.Unmarshal(data, &members))
	for _, name := range []string{"name", "value", "unit", "yardstick", "ratio", "p50_ms", "p99_ms", "p999_ms", "max_ms"} {
		require.Contains(t, members, name)
	}
}
