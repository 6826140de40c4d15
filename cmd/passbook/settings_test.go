package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// line runs a command line that is refused, and returns what it says.
func refused(t *testing.T, args ...string) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	require.Equal(t, exitUsage, execute(args, &stdout, &stderr), "%v: %s", args, stderr.String())
	text := stderr.String()
	require.Equal(t, 1, strings.Count(text, "\n"), "one line, not: %s", text)
	require.True(t, strings.HasPrefix(text, "passbook: "), text)
	return text
}

func TestServe_Refuses(t *testing.T) {
	for name, c := range map[string]struct {
		args []string
		want []string
	}{
		"UnknownCommand":      {[]string{"serv"}, []string{"serv", "passbook --help"}},
		"UnknownFlag":         {[]string{"serve", "--sqlite"}, []string{"--sqlite"}},
		"UnknownRole":         {[]string{"serve", "--roles", "command,boss"}, []string{"PASSBOOK_ROLES", `"boss"`, "command,relay,query,notify,broker"}},
		"RelayWithoutBroker":  {[]string{"serve", "--roles", "command,relay"}, []string{"PASSBOOK_BROKER", "kafka://127.0.0.1:9092"}},
		"BrokerOfAnother":     {[]string{"serve", "--roles", "broker", "--broker", "kafka://h:1"}, []string{"PASSBOOK_ROLES", "role broker"}},
		"BrokerWithoutPort":   {[]string{"serve", "--broker", "kafka://h"}, []string{"PASSBOOK_BROKER", "kafka://host:port"}},
		"NoBroker":            {[]string{"serve", "--broker", "rabbit"}, []string{"PASSBOOK_BROKER", "rabbit"}},
		"NoStore":             {[]string{"serve", "--event-store", "postgres://x"}, []string{"PASSBOOK_EVENT_STORE", "postgres", "sqlite"}},
		"NoReadDB":            {[]string{"serve", "--read-db", "sqlite:"}, []string{"PASSBOOK_READ_DB", "sqlite:PATH"}},
		"OneFileForBoth":      {[]string{"serve", "--read-db", "sqlite:x.db", "--event-store", "sqlite:./x.db"}, []string{"PASSBOOK_READ_DB", "same file"}},
		"OneFileForNotify":    {[]string{"serve", "--notify-db", "sqlite:x.db", "--read-db", "sqlite:./x.db"}, []string{"PASSBOOK_NOTIFY_DB", "same file", "PASSBOOK_READ_DB"}},
		"OneDatabaseForBoth":  {[]string{"serve", "--notify-db", "mysql://a:b@H:1/db", "--read-db", "mysql://c:d@h:1/db"}, []string{"PASSBOOK_NOTIFY_DB", "same database", "PASSBOOK_READ_DB"}},
		"NoMongoDatabase":     {[]string{"serve", "--event-store", "mongodb://user:sesame@/x"}, []string{"PASSBOOK_EVENT_STORE", "mongodb://user:password@host"}},
		"NoMySQLDatabase":     {[]string{"serve", "--read-db", "mysql://user:sesame@h"}, []string{"PASSBOOK_READ_DB", "names no database"}},
		"MySQLForEvents":      {[]string{"serve", "--event-store", "mysql://u:sesame@h/x"}, []string{"PASSBOOK_EVENT_STORE", "mysql", "mongodb://"}},
		"NoMechanism":         {[]string{"serve", "--broker", "kafka://h:1", "--kafka-sasl-mechanism", "PLANE"}, []string{"PASSBOOK_KAFKA_SASL_MECHANISM", "PLANE", "SCRAM-SHA-512"}},
		"NoSASLUser":          {[]string{"serve", "--broker", "kafka://h:1", "--kafka-sasl-mechanism", "PLAIN"}, []string{"PASSBOOK_KAFKA_SASL_USER"}},
		"NoSASLPassword":      {[]string{"serve", "--broker", "kafka://h:1", "--kafka-sasl-mechanism", "PLAIN", "--kafka-sasl-user", "u"}, []string{"PASSBOOK_KAFKA_SASL_PASSWORD"}},
		"NoAuthorities":       {[]string{"serve", "--broker", "kafka://h:1", "--kafka-tls-ca", "nowhere.pem"}, []string{"PASSBOOK_KAFKA_TLS_CA", "nowhere.pem"}},
		"TLSEmbedded":         {[]string{"serve", "--kafka-sasl-mechanism", "PLAIN"}, []string{"PASSBOOK_BROKER", "PASSBOOK_KAFKA_"}},
		"NoGroupProtocol":     {[]string{"serve", "--kafka-group-protocol", "modern"}, []string{"PASSBOOK_KAFKA_GROUP_PROTOCOL", "classic", "consumer"}},
		"NoStaticMembership":  {[]string{"serve", "--kafka-static-membership", "sometimes"}, []string{"PASSBOOK_KAFKA_STATIC_MEMBERSHIP", "sometimes"}},
		"NoLegacyTopics":      {[]string{"serve", "--legacy-topics", "maybe"}, []string{"PASSBOOK_LEGACY_TOPICS", "maybe"}},
		"RateLimit":           {[]string{"serve", "--rate-limit", "1000001"}, []string{"PASSBOOK_RATE_LIMIT", "1000000"}},
		"NoKeysFile":          {[]string{"serve", "--api-keys", "nowhere"}, []string{"PASSBOOK_API_KEYS", "nowhere"}},
		"NoChannel":           {[]string{"serve", "--notify-channels", "pigeon"}, []string{"PASSBOOK_NOTIFY_CHANNELS", "pigeon"}},
		"NoWebhookURL":        {[]string{"serve", "--notify-channels", "webhook"}, []string{"PASSBOOK_NOTIFY_WEBHOOK_URL"}},
		"NotifyNotLoopback":   {[]string{"serve", "--notify-addr", "0.0.0.0:5002"}, []string{"PASSBOOK_NOTIFY_ADDR", "PASSBOOK_API_KEYS"}},
		"CurrencyUnknown":     {[]string{"serve", "--currency", "EURO"}, []string{"PASSBOOK_CURRENCY"}},
		"NoPartitions":        {[]string{"serve", "--topic-partitions", "0"}, []string{"PASSBOOK_TOPIC_PARTITIONS", "1 to 1000"}},
		"NegativeReplicas":    {[]string{"serve", "--topic-replicas=-1"}, []string{"PASSBOOK_TOPIC_REPLICAS"}},
		"NoNumber":            {[]string{"serve", "--topic-partitions", "six"}, []string{"six"}},
		"TopicWithSpace":      {[]string{"serve", "--topic", "a b"}, []string{"PASSBOOK_TOPIC"}},
		"TopicOfDots":         {[]string{"serve", "--topic", ".."}, []string{"PASSBOOK_TOPIC"}},
		"NoTopic":             {[]string{"serve", "--topic", ""}, []string{"PASSBOOK_TOPIC"}},
		"LogLevel":            {[]string{"serve", "--log", "loud"}, []string{"PASSBOOK_LOG", "loud"}},
		"NotLoopback":         {[]string{"serve", "--command-addr", "0.0.0.0:5000"}, []string{"PASSBOOK_COMMAND_ADDR", "PASSBOOK_INSECURE"}},
		"NotLoopbackByName":   {[]string{"serve", "--query-addr", "example.org:5000"}, []string{"PASSBOOK_QUERY_ADDR"}},
		"NoAddress":           {[]string{"serve", "--query-addr", "5001"}, []string{"PASSBOOK_QUERY_ADDR", "HOST:PORT"}},
		"BrokerForAll":        {[]string{"serve", "--insecure", "--broker", "embedded:0.0.0.0:9092"}, []string{"PASSBOOK_BROKER", "0.0.0.0"}},
		"SeveralFaultsAtOnce": {[]string{"serve", "--currency", "X", "--broker", "y"}, []string{"PASSBOOK_CURRENCY", "PASSBOOK_BROKER"}},
	} {
		t.Run(name, func(t *testing.T) {
			text := refused(t, append(c.args, dataArgs(c.args, t.TempDir())...)...)
			for _, want := range c.want {
				require.Contains(t, text, want)
			}
			require.NotContains(t, text, "sesame")
		})
	}
}

// dataArgs keeps what gets as far as opening files out of this folder.
func dataArgs(args []string, folder string) []string {
	if len(args) > 0 && args[0] == "serve" {
		return []string{"--data", folder}
	}
	return nil
}

func TestServe_RefusesAHeldFolder(t *testing.T) {
	data := t.TempDir()
	held, err := openFolder(data)
	require.NoError(t, err)
	text := refused(t, "serve", "--data", data)
	require.Contains(t, text, "PASSBOOK_DATA")
	require.Contains(t, text, "held by another passbook")
	require.NoError(t, held.close())
}

func TestFolder_Instance(t *testing.T) {
	data := t.TempDir()
	f, err := openFolder(data)
	require.NoError(t, err)
	first, err := f.instance()
	require.NoError(t, err)
	require.NoError(t, f.close())
	f, err = openFolder(data)
	require.NoError(t, err)
	again, err := f.instance()
	require.NoError(t, err)
	require.Equal(t, first, again)
	require.NoError(t, os.WriteFile(f.file("instance"), nil, 0o600)) // cut off by a crash
	fresh, err := f.instance()
	require.NoError(t, err)
	require.NotEmpty(t, fresh)
	require.NoError(t, f.close())
}

func TestHelpAndVersion(t *testing.T) {
	for _, args := range [][]string{{"--help"}, {"serve", "--help"}, {"version"}, {}} {
		var stdout, stderr bytes.Buffer
		require.Equal(t, exitDone, execute(args, &stdout, &stderr), stderr.String())
		require.Contains(t, stdout.String(), "passbook")
		require.Empty(t, stderr.String())
	}
	var stdout, stderr bytes.Buffer
	require.Equal(t, exitDone, execute([]string{"serve", "--help"}, &stdout, &stderr))
	for _, setting := range []string{
		"PASSBOOK_ROLES", "PASSBOOK_DATA", "PASSBOOK_COMMAND_ADDR", "PASSBOOK_QUERY_ADDR", "PASSBOOK_OPS_ADDR",
		"PASSBOOK_EVENT_STORE", "PASSBOOK_READ_DB", "PASSBOOK_BROKER", "PASSBOOK_TOPIC", "PASSBOOK_TOPIC_PARTITIONS",
		"PASSBOOK_TOPIC_REPLICAS", "PASSBOOK_CURRENCY", "PASSBOOK_LOG", "PASSBOOK_INSECURE", "127.0.0.1:5000",
	} {
		require.Contains(t, stdout.String(), setting)
	}
}

func TestLoadEnvironment(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "secret")
	require.NoError(t, os.WriteFile(file, []byte("kafka://a:1\n"), 0o600))
	load := func(environ ...string) (map[string]string, []string, error) {
		set := make(map[string]string)
		var unset []string
		err := loadEnvironment(environ,
			func(name, value string) error { set[name] = value; return nil },
			func(name string) error { unset = append(unset, name); return nil })
		return set, unset, err
	}

	set, unset, err := load("PASSBOOK_BROKER_FILE="+file, "PASSBOOK_ROLES=", "HOME_FILE=/nowhere", "OTHER=")
	require.NoError(t, err)
	require.Equal(t, map[string]string{"PASSBOOK_BROKER": "kafka://a:1"}, set)
	require.Equal(t, []string{"PASSBOOK_ROLES"}, unset)

	_, _, err = load("PASSBOOK_BROKER_FILE="+file, "PASSBOOK_BROKER=embedded")
	require.ErrorContains(t, err, "PASSBOOK_BROKER and PASSBOOK_BROKER_FILE are both set")
	set, _, err = load("PASSBOOK_BROKER_FILE="+file, "PASSBOOK_BROKER=")
	require.NoError(t, err)
	require.Equal(t, "kafka://a:1", set["PASSBOOK_BROKER"])
	_, _, err = load("PASSBOOK_BROKER_FILE=" + file + ".not")
	require.ErrorContains(t, err, "PASSBOOK_BROKER_FILE")
	_, _, err = load("PASSBOOK_BROKER_FILE=" + t.TempDir())
	require.ErrorContains(t, err, "is no file")
}

func TestSettings_Roles(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		"all":               "broker,command,notify,query,relay",
		"command":           "command",
		"query, relay":      "query,relay",
		"all,query":         "broker,command,notify,query,relay",
		"broker,query,all,": "",
	} {
		got, err := parseRoles(strings.Split(given, ","), true)
		if want == "" {
			require.Error(t, err)
			continue
		}
		require.NoError(t, err)
		require.Equal(t, want, got.String())
	}
	got, err := parseRoles([]string{"all"}, false)
	require.NoError(t, err)
	require.Equal(t, "command,notify,query,relay", got.String())
}

func TestLoopback(t *testing.T) {
	t.Parallel()
	for addr, want := range map[string]bool{
		"127.0.0.1:5000": true, "[::1]:5000": true, "localhost:5000": true, "127.9.9.9:1": true,
		"0.0.0.0:5000": false, ":5000": false, "[::]:5000": false, "10.0.0.1:5000": false, "example.org:5000": false, "127.0.0.1": false,
	} {
		require.Equal(t, want, loopback(addr), addr)
	}
}

func TestOneLine(t *testing.T) {
	t.Parallel()
	require.Equal(t, "a; b c", oneLine(errors.Join(errors.New("a"), errors.New("b \t c"))))
}
