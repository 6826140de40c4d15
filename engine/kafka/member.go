package kafka

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// membership returns the options by which a client is a member of the group
// and nothing else: which partitions are ours is the group's to say, where
// they are read from is the consumer's. So the client is told to begin nowhere,
// and fetches nothing; the offsets that it asked the group for are dropped.
func (s *session) membership() []kgo.Opt {
	options := []kgo.Opt{
		kgo.ConsumerGroup(s.group),
		kgo.ConsumeTopics(s.topic.Name),
		kgo.Balancers(kgo.CooperativeStickyBalancer()),
		kgo.SessionTimeout(s.bus.config.SessionTimeout),
		kgo.HeartbeatInterval(s.bus.config.HeartbeatInterval),
		kgo.DisableAutoCommit(),
		kgo.AdjustFetchOffsetsFn(func(context.Context, map[string]map[int32]kgo.Offset) (map[string]map[int32]kgo.Offset, error) {
			return nil, nil
		}),
		kgo.OnPartitionsAssigned(func(_ context.Context, _ *kgo.Client, assigned map[string][]int32) {
			s.start(assigned[s.topic.Name])
		}),
		kgo.OnPartitionsRevoked(func(_ context.Context, _ *kgo.Client, revoked map[string][]int32) {
			s.stop(revoked[s.topic.Name])
			s.commitNow()
		}),
		kgo.OnPartitionsLost(func(_ context.Context, _ *kgo.Client, lost map[string][]int32) {
			s.stop(lost[s.topic.Name])
			s.progress.take() // another member's to tell from now on
		}),
	}
	if id := s.bus.config.InstanceID; id != "" {
		options = append(options, kgo.InstanceID(id))
	}
	if s.bus.config.GroupProtocol == Consumer {
		options = append(options, kgo.ServerSideBalancer(), kgo.WithHooks(&s.spoken))
	}
	return options
}

func (s *session) start(partitions []int32) {
	<-s.ready
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range partitions {
		if _, runs := s.workers[p]; !runs {
			s.workers[p] = startWorker(s, p)
		}
	}
}

// stop ends the workers and returns when each has told its consumer. The group
// waits meanwhile, and gives the partitions to nobody.
func (s *session) stop(partitions []int32) {
	s.mu.Lock()
	var stopped []*worker
	for _, p := range partitions {
		if w, runs := s.workers[p]; runs {
			stopped = append(stopped, w)
			delete(s.workers, p)
		}
	}
	s.mu.Unlock()
	for _, w := range stopped {
		w.cancel()
	}
	for _, w := range stopped {
		<-w.done
	}
}

// leave gives everything up and leaves the group; a static member only gives
// everything up, and the group waits for it to come back.
func (s *session) leave() {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.ctx), leaveMax)
	defer cancel()
	member, _ := s.client.GroupMetadata()
	// Errors mean that the group has to find out by the session time-out.
	_ = s.client.LeaveGroupContext(ctx)
	if s.spoken.consumer.Load() && s.instanceID() != nil {
		_ = s.stepAside(ctx, member)
	}
	s.client.Close()
	s.mu.Lock()
	var left []int32
	for p := range s.workers {
		left = append(left, p)
	}
	s.mu.Unlock()
	s.stop(left)
}

// logTroubles logs why the member is not, or no longer, in the group: what the
// client reports instead of the records that it does not fetch. That brokers
// are lost is logged elsewhere.
func (s *session) logTroubles(ctx context.Context) {
	var last string
	var at time.Time
	for {
		fetches := s.client.PollFetches(ctx)
		if ctx.Err() != nil || fetches.IsClientClosed() {
			return
		}
		for _, trouble := range fetches.Errors() {
			text, level := trouble.Err.Error(), slog.LevelDebug
			var answer *kerr.Error
			if errors.As(trouble.Err, &answer) && (text != last || time.Since(at) > time.Minute) {
				level = slog.LevelWarn
			}
			last, at = text, time.Now()
			s.bus.config.Logger.Log(ctx, level, "consumer group, trying again", "group", s.group, "error", text)
		}
	}
}

// standing is what is known of whether the group still counts us in. Heartbeats
// run beside the workers, so a process that was paused for long, and lost its
// partitions meanwhile, would hand out records until the next heartbeat tells
// it. Therefore no run is handed out unless the group has confirmed us within
// half of the session time-out, before which it cannot have dropped us. In the
// Consumer protocol that is not the group's session time-out but a shorter one: members
// whose heartbeats go on are then as safe.
type standing struct {
	session *session
	mu      sync.Mutex
	asked   time.Time // when the last question was put that was answered with yes
}

// confirm returns true when the group counts us in, or false when ctx ends.
func (m *standing) confirm(ctx context.Context) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	for failures := 1; ctx.Err() == nil; failures++ {
		if time.Since(m.asked) < m.session.bus.config.SessionTimeout/2 {
			return true
		}
		now := time.Now()
		if m.session.ask(ctx) {
			m.asked = now
			continue
		}
		// Dropped, or the coordinator is away. The client finds out as well,
		// and then ends the workers.
		wait(ctx, pauseAfter(failures, 50*time.Millisecond, time.Second))
	}
	return false
}

func (s *session) instanceID() *string {
	if s.bus.config.InstanceID == "" {
		return nil
	}
	return &s.bus.config.InstanceID
}
