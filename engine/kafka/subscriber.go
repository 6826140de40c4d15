package kafka

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"passbook/es/bus"
)

const (
	// leaveMax bounds how long leaving the group may take.
	leaveMax = 2 * time.Second
	// watchInterval is how often a session looks whether the topic is still
	// the same. Brokers from Kafka 3.1 on tell that by themselves when it was
	// made again, older ones do not, and none tells of added partitions.
	watchInterval = 5 * time.Second
)

// Run joins the group and drives consumer until ctx ends; see bus.Subscriber.
// What has to be tried again is logged. It returns an error for an empty group,
// for Options that no client can be made with, and when the bus is closed.
//
// Consume's context ends when the partition is to be given up. A member whose
// consumer does not return then holds up the others of its group.
//
// Run may be called several times at once, for several groups or for several
// members of one; static members need a bus each.
func (b *Bus) Run(ctx context.Context, group string, consumer bus.Consumer) error {
	if group == "" {
		return errors.New("kafka: the name of the consumer group is empty")
	}
	for ctx.Err() == nil {
		topic, err := b.await(ctx)
		if err == nil {
			err = b.runSession(ctx, topic, group, consumer)
		}
		if err != nil && ctx.Err() == nil {
			return err
		}
	}
	return nil
}

// await returns the topic once there is one. Its error is final.
func (b *Bus) await(ctx context.Context) (bus.Topic, error) {
	var told time.Time
	for failures := 1; ; failures++ {
		s, err := b.look(ctx, b.admin)
		if err == nil {
			return s.topic, nil
		}
		if errors.Is(err, errClosed) {
			return bus.Topic{}, err
		}
		if failures == 1 && errors.Is(err, errNoTopic) {
			b.config.Logger.Info("waiting for the topic", "topic", b.config.Topic)
		}
		// That brokers are lost or do not let us in is logged elsewhere.
		if errors.Is(err, kerr.TopicAuthorizationFailed) && time.Since(told) >= remindInterval {
			told = time.Now()
			b.config.Logger.Warn("the topic may not be read by this user: grant Describe and Read; trying again",
				"topic", b.config.Topic, "error", err)
		}
		if !wait(ctx, pauseAfter(failures, 50*time.Millisecond, 2*time.Second)) {
			return bus.Topic{}, ctx.Err()
		}
	}
}

// session is one membership in the group with one life of the topic. When the
// topic is made again the session ends and another one begins: no offset,
// fetch or commit of the old can get into the new.
type session struct {
	bus      *Bus
	topic    bus.Topic
	group    string
	consumer bus.Consumer

	end      context.CancelCauseFunc
	ctx      context.Context //nolint:containedctx // callbacks of the client start workers under it
	client   *kgo.Client     // set before ready is closed
	ready    chan struct{}
	fetcher  *fetcher
	progress *progress
	standing standing
	spoken   spoken

	mu      sync.Mutex
	workers map[int32]*worker
}

// runSession returns nil when ctx has ended or the topic has changed.
func (b *Bus) runSession(ctx context.Context, topic bus.Topic, group string, consumer bus.Consumer) error {
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	s := &session{
		bus: b, topic: topic, group: group, consumer: consumer,
		ctx: ctx, end: end, ready: make(chan struct{}),
		fetcher: newFetcher(b, topic, bus.PaceOf(consumer)), progress: newProgress(),
		workers: make(map[int32]*worker),
	}
	client, err := b.client(s.membership()...)
	if err != nil {
		return err
	}
	s.client, s.fetcher.client, s.standing.session = client, client, s
	close(s.ready)

	var running sync.WaitGroup
	for _, run := range []func(context.Context){s.fetcher.run, s.commitOften, s.watch, s.logTroubles} {
		running.Go(func() { run(ctx) })
	}
	<-ctx.Done()
	s.leave()
	running.Wait()
	if cause := context.Cause(ctx); errors.Is(cause, bus.ErrTopicChanged) {
		b.config.Logger.Info("the topic has changed, its consumers begin anew", "topic", topic.Name, "group", group, "cause", cause)
	}
	return nil
}

// watch ends the session when the topic has changed.
func (s *session) watch(ctx context.Context) {
	for wait(ctx, watchInterval) {
		s.checkTopic(ctx)
	}
}

// checkTopic ends the session if the topic has changed. That it could not be
// looked up tells nothing.
func (s *session) checkTopic(ctx context.Context) {
	if _, err := s.bus.check(ctx, s.bus.admin, s.topic); errors.Is(err, bus.ErrTopicChanged) {
		s.end(err)
	}
}
