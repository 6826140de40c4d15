package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"

	"passbook/contract/account"
)

// topicName leaves room for what the topics of a restore add to the feed's name:
// Kafka allows 249 characters.
var topicName = regexp.MustCompile(`^[A-Za-z0-9._-]{1,150}$`)

const defaultOpsAddr = "127.0.0.1:5009"

// serveFlags are the settings of serve as they are given.
type serveFlags struct {
	Roles           []string `default:"all" env:"PASSBOOK_ROLES" help:"Services of this process: all, or some of command, relay, query, notify, broker." placeholder:"ROLE,..."`
	Data            string   `default:"./passbook-data" env:"PASSBOOK_DATA" help:"Folder of the embedded engines." placeholder:"FOLDER"`
	CommandAddr     string   `default:"127.0.0.1:5000" env:"PASSBOOK_COMMAND_ADDR" help:"Address of the command API." placeholder:"HOST:PORT"`
	QueryAddr       string   `default:"127.0.0.1:5001" env:"PASSBOOK_QUERY_ADDR" help:"Address of the query API." placeholder:"HOST:PORT"`
	OpsAddr         string   `env:"PASSBOOK_OPS_ADDR" help:"Address of probes and metrics. Unset: each API's own; without an API ${ops}." placeholder:"HOST:PORT"`
	EventStore      string   `default:"sqlite" env:"PASSBOOK_EVENT_STORE" help:"Event store: sqlite or sqlite:PATH." placeholder:"ENGINE"`
	ReadDB          string   `default:"sqlite" env:"PASSBOOK_READ_DB" help:"Read database: sqlite or sqlite:PATH." name:"read-db" placeholder:"ENGINE"`
	notifyFlags     `embed:""`
	Broker          string `default:"embedded" env:"PASSBOOK_BROKER" help:"Broker: embedded, embedded:HOST:PORT or kafka://host:port,host:port." placeholder:"BROKER"`
	Topic           string `default:"account-events" env:"PASSBOOK_TOPIC" help:"Topic of the feed." placeholder:"NAME"`
	TopicPartitions int32  `default:"6" env:"PASSBOOK_TOPIC_PARTITIONS" help:"Partitions of the topic when it is created, 1 to 1000." placeholder:"N"`
	TopicReplicas   int16  `default:"0" env:"PASSBOOK_TOPIC_REPLICAS" help:"Replicas of the topic when it is created; 0: as the brokers allow, up to 3." placeholder:"N"`
	LegacyTopics    string `default:"off" env:"PASSBOOK_LEGACY_TOPICS" help:"on: the relay also feeds the four topics of the Java system." placeholder:"on|off"`
	Currency        string `default:"EUR" env:"PASSBOOK_CURRENCY" help:"Currency of amounts that name none (API version 1)." placeholder:"CODE"`
	Log             string `default:"info" env:"PASSBOOK_LOG" help:"Least level that is logged: debug, info, warn, error." placeholder:"LEVEL"`
	APIKeys         string `env:"PASSBOOK_API_KEYS" help:"File of API keys, made with passbook keys new. Unset: whoever reaches an address may call." name:"api-keys" placeholder:"FILE"`
	RateLimit       int    `default:"0" env:"PASSBOOK_RATE_LIMIT" help:"Requests a second that one client may make, 1 to 1000000; 0: ${rateKeys} with API keys, ${rateOpen} without." placeholder:"N"`
	Insecure        bool   `env:"PASSBOOK_INSECURE" help:"Allow addresses that other machines can reach, without API keys."`
}

// settings are the settings of serve as they are meant.
type settings struct {
	roles      roles
	data       string
	command    string
	query      string
	notify     notifySettings
	ops        string // empty: on the APIs' own addresses
	events     string // path of the event store
	readDB     string // path of the read database
	broker     brokerLocation
	topic      string
	partitions int32
	replicas   int16
	legacy     bool
	currency   account.Currency
	apiKeys    string // empty: none
	rateLimit  int    // 0: as the program thinks fit
	insecure   bool
}

// refuse names the setting that is wrong.
func refuse(variable, flag string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s (--%s): %w", variable, flag, err)
}

// check reads the flags and reports every fault at once.
func (f *serveFlags) check() (*settings, error) {
	s := &settings{
		data: filepath.Clean(f.Data), command: f.CommandAddr, query: f.QueryAddr, ops: f.OpsAddr,
		legacy: f.LegacyTopics == "on", apiKeys: f.APIKeys, rateLimit: f.RateLimit,
		topic: f.Topic, partitions: f.TopicPartitions, replicas: f.TopicReplicas, insecure: f.Insecure,
	}
	var faults []error
	note := func(variable, flag string, err error) { faults = append(faults, refuse(variable, flag, err)) }
	var err error
	s.broker, err = parseBroker(f.Broker)
	note("PASSBOOK_BROKER", "broker", err)
	s.roles, err = parseRoles(f.Roles, s.broker.embedded)
	note("PASSBOOK_ROLES", "roles", err)
	s.events, err = parseSQLite(f.EventStore, s.data, "events.db")
	note("PASSBOOK_EVENT_STORE", "event-store", err)
	s.readDB, err = parseSQLite(f.ReadDB, s.data, "readmodel.db")
	note("PASSBOOK_READ_DB", "read-db", err)
	s.notify, err = f.notifyFlags.check(s.data, s.roles[roleNotify])
	faults = append(faults, err)
	if f.LegacyTopics != "on" && f.LegacyTopics != "off" {
		note("PASSBOOK_LEGACY_TOPICS", "legacy-topics", fmt.Errorf("%q is neither on nor off", f.LegacyTopics))
	}
	s.currency, err = account.ParseCurrency(f.Currency)
	note("PASSBOOK_CURRENCY", "currency", err)
	if !topicName.MatchString(s.topic) || strings.Trim(s.topic, ".") == "" {
		note("PASSBOOK_TOPIC", "topic", errors.New("want a name of 1 to 150 of A-Z a-z 0-9 . _ -, and not only dots"))
	}
	if s.partitions < 1 || s.partitions > 1000 {
		note("PASSBOOK_TOPIC_PARTITIONS", "topic-partitions", fmt.Errorf("%d is out of range: want 1 to 1000", s.partitions))
	}
	if s.rateLimit < 0 || s.rateLimit > 1_000_000 {
		note("PASSBOOK_RATE_LIMIT", "rate-limit", fmt.Errorf("%d is out of range: want 0 to 1000000", s.rateLimit))
	}
	if s.replicas < 0 {
		note("PASSBOOK_TOPIC_REPLICAS", "topic-replicas", fmt.Errorf("%d is out of range: want 0 or more", s.replicas))
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	if err := errors.Join(s.checkRoles(), s.checkAddresses()); err != nil {
		return nil, err
	}
	return s, nil
}

// reachesBroker tells whether this process has a broker: its own, or one that
// is named.
func (s *settings) reachesBroker() bool { return s.roles[roleBroker] || !s.broker.embedded }

// checkRoles refuses combinations that cannot work.
func (s *settings) checkRoles() error {
	needsBroker := s.roles[roleRelay] || s.roles[roleQuery] || s.roles[roleNotify]
	switch {
	case s.roles.String() == "":
		return refuse("PASSBOOK_ROLES", "roles", errors.New("no role is chosen: want all, or some of command, relay, query, notify, broker"))
	case s.roles[roleBroker] && !s.broker.embedded:
		return refuse("PASSBOOK_ROLES", "roles", errors.New("role broker is the embedded broker, but PASSBOOK_BROKER names another: leave one of them out"))
	case needsBroker && !s.reachesBroker():
		return refuse("PASSBOOK_BROKER", "broker", fmt.Errorf("roles %s need a broker, and the embedded one is not among the roles: "+
			"add role broker, or name the process that has it as kafka://%s", s.roles, s.broker.addrs[0]))
	}
	return s.checkFiles()
}

// checkFiles refuses one file for two databases.
func (s *settings) checkFiles() error {
	files := []struct {
		used                 bool
		path, variable, flag string
	}{
		{s.roles[roleCommand] || s.roles[roleRelay], s.events, "PASSBOOK_EVENT_STORE", "event-store"},
		{s.roles[roleQuery], s.readDB, "PASSBOOK_READ_DB", "read-db"},
		{s.roles[roleNotify], s.notify.db, "PASSBOOK_NOTIFY_DB", "notify-db"},
	}
	names := make(map[string]string)
	var faults []error
	for _, file := range files {
		if !file.used {
			continue
		}
		if other, taken := names[file.path]; taken {
			faults = append(faults, refuse(file.variable, file.flag, fmt.Errorf("it is the same file as %s: give each its own", other)))
		}
		names[file.path] = file.variable
	}
	return errors.Join(faults...)
}
