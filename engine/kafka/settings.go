package kafka

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"passbook/es/bus"
)

// setting is one that decides whether the topic keeps everything.
type setting struct {
	name, want string
	// fine tells whether a value that is not want will do as well.
	fine func(value string) bool
	// since36 marks what brokers before Kafka 3.6 do not know and therefore
	// refuse at creation.
	since36 bool
	// checkOnly marks what newer brokers do not know and have a harmless
	// default for.
	checkOnly bool
}

// settings are those for a topic with so many replicas, of which a compacted one
// keeps the last record of each key.
//
// Retention counts from the record's timestamp, which is the event's time: with
// a limit, history that is published again is deleted within minutes. So is,
// by being refused, what a limit on timestamps does not like. An unclean
// election brings a leader that misses acknowledged records.
func settings(replicas int, compacted bool) []setting {
	unlimited := strconv.FormatInt(math.MaxInt64, 10)
	policy := "delete"
	if compacted {
		policy = "compact"
	}
	all := []setting{
		{name: "cleanup.policy", want: policy},
		{name: "retention.ms", want: "-1"},
		{name: "retention.bytes", want: "-1"},
		{name: "unclean.leader.election.enable", want: "false"},
		{name: "message.timestamp.after.max.ms", want: unlimited, since36: true},
		{name: "message.timestamp.before.max.ms", want: unlimited, since36: true},
		{name: "message.timestamp.difference.max.ms", want: unlimited, checkOnly: true},
	}
	if replicas >= 3 {
		all = append(all, setting{name: "min.insync.replicas", want: "2", fine: func(value string) bool {
			n, err := strconv.Atoi(value)
			return err == nil && n > 2
		}})
	}
	return all
}

// created returns what a topic is created with, name to value.
func created(replicas int, knows36, compacted bool) map[string]*string {
	with := make(map[string]*string)
	for _, s := range settings(replicas, compacted) {
		if !s.checkOnly && (knows36 || !s.since36) {
			with[s.name] = &s.want
		}
	}
	return with
}

// faults compares what a broker lists for a topic with what is wanted. What it
// does not list it does not know, so it cannot act on it either.
func faults(topic string, replicas int, compacted bool, listed map[string]string) error {
	var wrong []string
	for _, s := range settings(replicas, compacted) {
		value, known := listed[s.name]
		if known && value != s.want && (s.fine == nil || !s.fine(value)) {
			wrong = append(wrong, fmt.Sprintf("%s is %q, want %q", s.name, value, s.want))
		}
	}
	if len(wrong) == 0 {
		return nil
	}
	return fmt.Errorf("%w: topic %s: %s: alter them, or name another topic", bus.ErrTopicWrong, topic, strings.Join(wrong, "; "))
}
