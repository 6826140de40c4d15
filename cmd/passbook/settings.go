package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"

	"passbook/contract/account"
	"passbook/engine/kafka"
)

// topicName leaves room for what the topics of a restore add to the feed's name:
// Kafka allows 249 characters.
var topicName = regexp.MustCompile(`^[A-Za-z0-9._-]{1,150}$`)

const defaultOpsAddr = "127.0.0.1:5009"

// serveFlags are the settings of serve as they are given.
type serveFlags struct {
	Roles           []string `default:"all" env:"PASSBOOK_ROLES" help:"Services of this process: all, or some of command, relay, query, notify, broker." placeholder:"ROLE,..."`
	storeFlags      `embed:""`
	CommandAddr     string `default:"127.0.0.1:5000" env:"PASSBOOK_COMMAND_ADDR" help:"Address of the command API." placeholder:"HOST:PORT"`
	QueryAddr       string `default:"127.0.0.1:5001" env:"PASSBOOK_QUERY_ADDR" help:"Address of the query API." placeholder:"HOST:PORT"`
	OpsAddr         string `env:"PASSBOOK_OPS_ADDR" help:"Address of probes and metrics. Unset: each API's own; without an API ${ops}." placeholder:"HOST:PORT"`
	readDBFlag      `embed:""`
	notifyFlags     `embed:""`
	brokerFlags     `embed:""`
	topicFlag       `embed:""`
	StaticMembers   string `default:"on" env:"PASSBOOK_KAFKA_STATIC_MEMBERSHIP" help:"on: restarted on its data folder, a process has its partitions back at once, and nobody else gets them for 6 s. off: who stops gives them to the others at once, for folders that go with the process." name:"kafka-static-membership" placeholder:"on|off"`
	GroupProtocol   string `default:"classic" env:"PASSBOOK_KAFKA_GROUP_PROTOCOL" help:"How consumers share partitions: classic, or consumer where the brokers know it (Kafka 4.0)." name:"kafka-group-protocol" placeholder:"NAME"`
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
	events     location
	readDB     location
	broker     brokerLocation
	static     bool // members of consumer groups keep their name
	protocol   kafka.GroupProtocol
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
		legacy: f.LegacyTopics == "on", static: f.StaticMembers == "on", protocol: kafka.GroupProtocol(f.GroupProtocol), apiKeys: f.APIKeys, rateLimit: f.RateLimit,
		topic: f.Topic, partitions: f.TopicPartitions, replicas: f.TopicReplicas, insecure: f.Insecure,
	}
	var faults []error
	note := func(variable, flag string, err error) { faults = append(faults, refuse(variable, flag, err)) }
	var err error
	s.broker, err = f.brokerFlags.location()
	faults = append(faults, err)
	s.roles, err = parseRoles(f.Roles, s.broker.embedded)
	note("PASSBOOK_ROLES", "roles", err)
	s.events, err = f.storeFlags.location()
	faults = append(faults, err)
	s.readDB, err = f.readDBFlag.location(s.data)
	faults = append(faults, err)
	s.notify, err = f.notifyFlags.check(s.data, s.roles[roleNotify])
	faults = append(faults, err)
	for _, choice := range []struct{ variable, flag, value, one, other string }{
		{"PASSBOOK_LEGACY_TOPICS", "legacy-topics", f.LegacyTopics, "on", "off"},
		{"PASSBOOK_KAFKA_STATIC_MEMBERSHIP", "kafka-static-membership", f.StaticMembers, "on", "off"},
		{"PASSBOOK_KAFKA_GROUP_PROTOCOL", "kafka-group-protocol", f.GroupProtocol, string(kafka.Classic), string(kafka.Consumer)},
	} {
		if choice.value != choice.one && choice.value != choice.other {
			note(choice.variable, choice.flag, fmt.Errorf("%q is neither %s nor %s", choice.value, choice.one, choice.other))
		}
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
	return s.checkDatabases()
}

// checkDatabases refuses one database for two purposes.
func (s *settings) checkDatabases() error {
	databases := []struct {
		used           bool
		at             location
		variable, flag string
	}{
		{s.roles[roleCommand] || s.roles[roleRelay], s.events, "PASSBOOK_EVENT_STORE", "event-store"},
		{s.roles[roleQuery], s.readDB, "PASSBOOK_READ_DB", "read-db"},
		{s.roles[roleNotify], s.notify.db, "PASSBOOK_NOTIFY_DB", "notify-db"},
	}
	var faults []error
	for i, one := range databases {
		for _, other := range databases[:i] {
			if one.used && other.used && one.at.same(other.at) {
				what := "database"
				if !one.at.server() {
					what = "file"
				}
				faults = append(faults, refuse(one.variable, one.flag, fmt.Errorf("it is the same %s as %s: give each its own", what, other.variable)))
			}
		}
	}
	return errors.Join(faults...)
}
