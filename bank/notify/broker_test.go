package notify_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"passbook/bank/notify"
	"passbook/engine/broker"
	"passbook/engine/kafka"
	"passbook/es/bus"
	"passbook/es/event"
)

// world is an embedded broker with a bus to its topic, as the service has them.
type world struct {
	t    *testing.T
	addr string
	*kafka.Bus
}

func newWorld(t *testing.T) *world {
	t.Helper()
	b, err := broker.New(broker.Config{Addr: "127.0.0.1:0", Dir: filepath.Join(t.TempDir(), "broker")})
	require.NoError(t, err)
	start(t, b.Run)
	w := &world{t: t, addr: b.Addr()}
	w.Bus, err = kafka.New(kafka.Config{
		Brokers: []string{w.addr}, Topic: "account-events", Partitions: partitions, InstanceID: "test", Logger: quiet(),
	})
	require.NoError(t, err)
	t.Cleanup(w.Close)
	return w
}

// relay publishes events, and makes the topic if there is none.
func (w *world) relay(history string, events ...event.Envelope) {
	w.t.Helper()
	topic, err := w.Open(w.t.Context())
	require.NoError(w.t, err)
	producer, err := w.Producer(w.t.Context(), topic)
	require.NoError(w.t, err)
	defer producer.Close()
	records := make([]bus.Placed, len(events))
	for i, e := range events {
		records[i] = bus.Placed{Message: bus.Encode(history, e), Partition: bus.Partition(e.Stream, topic.Partitions)}
	}
	_, err = producer.Publish(w.t.Context(), records)
	require.NoError(w.t, err)
}

// deleteTopic has everything in the broker gone.
func (w *world) deleteTopic() {
	w.t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(w.addr))
	require.NoError(w.t, err)
	defer client.Close()
	answers, err := kadm.NewClient(client).DeleteTopics(w.t.Context(), "account-events")
	require.NoError(w.t, err)
	require.NoError(w.t, answers.Error())
}

// hook is a webhook's receiver.
type hook struct {
	*httptest.Server
	mu     sync.Mutex
	events []string
	ids    []string
	// status is what it answers; it hangs on 0.
	status int
}

func newHook(t *testing.T) *hook {
	t.Helper()
	h := &hook{status: http.StatusOK}
	gone := make(chan struct{})
	h.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body struct{ Data struct{ EventID string } }
		err := json.NewDecoder(r.Body).Decode(&body)
		h.mu.Lock()
		status := h.status
		h.events = append(h.events, body.Data.EventID)
		h.ids = append(h.ids, r.Header.Get("webhook-id"))
		h.mu.Unlock()
		if err != nil || status == 0 {
			<-gone
			return
		}
		w.WriteHeader(status)
	}))
	t.Cleanup(h.Close)
	t.Cleanup(func() { close(gone) })
	return h
}

func (h *hook) answer(status int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.status = status
}

func (h *hook) got() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return sorted(append([]string(nil), h.events...))
}

// overBroker makes a service on the broker.
func (s *scene) overBroker(w *world, channels []notify.Channel) *notify.Service {
	return s.service(nil, channels, func(c *notify.Config) { c.Feed, c.Subscriber = w.Bus, w.Bus })
}

func TestService(t *testing.T) { onEngines(t, testService) }

func testService(t *testing.T, newScene func(testing.TB) *scene) {
	w, s, receiver := newWorld(t), newScene(t), newHook(t)
	channels := []notify.Channel{channel(t, notify.Settings{Channels: "webhook", WebhookURL: receiver.URL, WebhookSecret: secret})}
	h := newHistory().before()
	h.open("a")

	// The feed is not there yet, and nobody but the relay makes it.
	service := s.overBroker(w, channels)
	stop := start(t, service.Run)
	require.Error(t, service.Ready(t.Context()))
	w.relay("h1", h.events...)
	require.Eventually(t, func() bool { return service.Ready(t.Context()) == nil }, waitMax, poll)
	h.since().deposit("a", "1.00 EUR")
	h.open("b")
	w.relay("h1", h.events[1:]...)
	s.eventually([]string{"a/1|sent|1", "b/0|sent|1"}, `SELECT event_id, state, attempts FROM notification ORDER BY event_id`)
	stop()
	require.Equal(t, []string{"a/1", "b/0"}, receiver.got())

	// It goes on where it stood.
	h.withdraw("a", "1.00 EUR")
	w.relay("h1", h.events[3])
	service = s.overBroker(w, channels)
	stop = start(t, service.Run)
	s.eventually([]string{"a/1|sent", "a/2|sent", "b/0|sent"}, `SELECT event_id, state FROM notification ORDER BY event_id`)

	// The topic is made again, and everything published once more.
	w.deleteTopic()
	h.close("b")
	w.relay("h1", h.events...)
	s.eventually([]string{"a/1|sent", "a/2|sent", "b/0|sent", "b/1|sent"}, `SELECT event_id, state FROM notification ORDER BY event_id`)
	stop()
	require.Equal(t, []string{"a/1", "a/2", "b/0", "b/1"}, receiver.got(), "each once")
	require.Empty(t, s.rows(`SELECT stream FROM parked_stream`))
}

// A webhook that hangs delays neither the log nor the mails, and gets its own when
// it is well again.
func TestService_DeadWebhook(t *testing.T) {
	w, s, receiver := newWorld(t), newScene(t), newHook(t)
	receiver.answer(0)
	mails := newMailServer(t, nil)
	channels, err := notify.ParseChannels(notify.Settings{
		Channels: "webhook,log,smtp", WebhookURL: receiver.URL, WebhookSecret: secret,
		SMTPURL: "smtp://" + mails.addr(), SMTPFrom: "bank@example.com",
	}, quiet())
	require.NoError(t, err)
	h := newHistory()
	for _, id := range []string{"a", "b", "c"} {
		h.open(id, id+"@example.com")
	}
	w.relay("h1", h.events...)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.overBroker(w, channels).Run(ctx) }()
	s.eventually([]string{"log|sent|3", "smtp|sent|3", "webhook|pending|3"},
		`SELECT channel, state, count(*) FROM notification GROUP BY channel, state`)
	require.Len(t, mails.taken(), 3)
	require.Eventually(t, func() bool { return len(receiver.got()) == 3 }, waitMax, poll)
	receiver.answer(http.StatusOK)
	cancel()
	require.NoError(t, <-ended, "what hangs is cut off")

	stop := start(t, s.overBroker(w, channels).Run)
	s.eventually([]string{"webhook|sent|2"}, `SELECT DISTINCT channel, state, attempts FROM notification WHERE channel = 'webhook'`)
	stop()
	require.Equal(t, []string{"a/0", "a/0", "b/0", "b/0", "c/0", "c/0"}, receiver.got())
	require.Len(t, sorted(receiver.ids), 6)
	for i := 0; i < 6; i += 2 {
		require.Equal(t, receiver.ids[i], receiver.ids[i+1], "a repeat has the same id")
	}
}

var _ notify.Feed = (*kafka.Bus)(nil)
