package cluster_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"passbook/bank/notify"
)

// takeOverMax is generous: what is aimed at is 10 s.
const takeOverMax = 30 * time.Second

// testPartitions has four notification processes divide the partitions, kills
// one, and adds one.
func testPartitions(t *testing.T, e *engines) {
	b := e.newBank(t)
	b.open(2, 1, 1, 4)
	l := b.newLoad(*accounts/10, *pace)
	l.start()
	shares := b.awaitShares(4)
	t.Logf("four processes have %v", shares)
	l.await(*commands / 20)

	b.notify[0].kill()
	killed := time.Now()
	shares = b.awaitShares(3)
	took := time.Since(killed)
	t.Logf("one was killed: the others have %v after %v", shares, took.Round(time.Millisecond))
	require.Less(t, took, takeOverMax)
	l.await(*commands / 20)

	added := b.place("notify")
	added.start()
	began := time.Now()
	b.notify = append(b.notify[1:], added)
	t.Logf("one was added: all have %v after %v", b.awaitShares(4), time.Since(began).Round(time.Millisecond))
	l.await(*commands / 20)
	l.finish()
	b.judge(l)
}

// awaitShares waits until the group of the notification service has so many
// members, each of which has some of the partitions, and returns how many.
func (b *bank) awaitShares(members int) []int {
	b.t.Helper()
	var shares []int
	await(b.t, func() string {
		groups, err := b.admin.DescribeGroups(b.t.Context(), notify.Consumer)
		if err != nil {
			return err.Error()
		}
		shares = nil
		taken := make(map[int32]bool)
		for _, member := range groups[notify.Consumer].Members {
			assigned, _ := member.Assigned.AsConsumer()
			if assigned == nil {
				return "a member has no assignment yet"
			}
			for _, topic := range assigned.Topics {
				if topic.Topic == b.topic {
					shares = append(shares, len(topic.Partitions))
					for _, partition := range topic.Partitions {
						taken[partition] = true
					}
				}
			}
		}
		slices.Sort(shares)
		return unless(groups[notify.Consumer].State == "Stable" && len(shares) == members && len(taken) == 6,
			"the group is %s, %d partitions are divided as %v among %d", groups[notify.Consumer].State, len(taken), shares, members)
	})
	return shares
}

// testTopic deletes the topic under everybody: a new one is published from
// position one, and no consumer does anything twice.
func testTopic(t *testing.T, e *engines) {
	b := e.newBank(t)
	b.open(1, 2, 2, 2)
	l := b.newLoad(*accounts/10, *pace)
	l.start()
	l.await(*commands / 10)
	before := b.topicID()
	_, err := b.admin.DeleteTopic(t.Context(), b.topic)
	require.NoError(t, err)
	began := time.Now()
	await(t, func() string {
		now := b.topicID()
		return unless(now != "" && now != before, "the relay makes no new topic: %q", now)
	})
	t.Logf("a new topic is there after %v", time.Since(began).Round(time.Millisecond))
	l.await(*commands / 10)
	l.finish()
	b.judge(l)
}

// topicID is "" while there is none.
func (b *bank) topicID() string {
	topics, err := b.admin.ListTopics(b.t.Context(), b.topic)
	if err != nil || topics.Error() != nil || len(topics[b.topic].Partitions) == 0 {
		return ""
	}
	return fmt.Sprint(topics[b.topic].ID)
}
