package main

import (
	"bytes"
	"context"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"passbook/bank/consumers"
	"passbook/bank/web"
	"passbook/es/event"
	"passbook/es/projection"
)

// stuck is a consumer with parked streams of every kind, so that all that the API
// can say about one is seen. How streams come to be parked is tested where it is
// done.
type stuck struct {
	consumers.Consumer // what is not asked for here

	name string

	mu      sync.Mutex
	parked  []projection.Parked
	queue   []event.Envelope
	discard string // what was discarded, and why
}

func newStuck(name string) *stuck {
	since := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	return &stuck{
		name: name,
		parked: []projection.Parked{
			{Stream: "ann", Reason: projection.ReasonGap, Version: 3, Error: "version 3 is missing", Since: since, Queued: 1200},
			{Stream: "bob", Reason: projection.ReasonUnapplicable, Version: 1, EventID: "e1", Error: "amount is \x1b[31mred", Since: since, Queued: 2},
		},
		queue: []event.Envelope{
			{ID: "e1", Stream: "bob", Version: 1, Position: 7, Time: since, Type: event.Type{Name: "passbook.account.deposited", Schema: 1}, Data: []byte(`{"amount":"red"}`)},
			{ID: "e2", Stream: "bob", Version: 2, Position: 9, Time: since, Type: event.Type{Name: "passbook.account.closed", Schema: 1}, Data: []byte(`{}`)},
		},
	}
}

func (s *stuck) Name() string { return s.name }

func (s *stuck) Status() projection.Status { return projection.Status{Consumer: s.name} }

func (s *stuck) CountParked(context.Context) (int64, error) { return int64(len(s.parked)), nil }

func (s *stuck) Parked(_ context.Context, after string, limit int) (page []projection.Parked, err error) {
	for _, p := range s.parked {
		if p.Stream > after && len(page) < limit {
			page = append(page, p)
		}
	}
	return page, nil
}

func (s *stuck) ParkedStream(_ context.Context, stream string, _ int) (projection.Parked, []event.Envelope, error) {
	for _, p := range s.parked {
		if p.Stream == stream && stream == "bob" {
			return p, s.queue, nil
		} else if p.Stream == stream {
			return p, nil, nil
		}
	}
	return projection.Parked{}, nil, projection.ErrNotParked
}

func (s *stuck) Redrive(ctx context.Context, stream string) (flows bool, err error) {
	_, _, err = s.ParkedStream(ctx, stream, 1)
	return false, err
}

func (s *stuck) Discard(ctx context.Context, stream string, version int64, reason, _ string) (flows bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, _, err := s.ParkedStream(ctx, stream, 1)
	if err == nil && (p.Version != version || p.EventID == "") {
		err = &projection.NotInTheWayError{Version: version, Parked: p}
	}
	if err != nil {
		return false, err
	}
	s.discard = stream + ": " + reason
	s.parked = s.parked[:1]
	return true, nil
}

// serveConsumers serves the API of consumers, as it is.
func serveConsumers(t *testing.T, served ...consumers.Consumer) string {
	t.Helper()
	api, err := web.New(web.Config{Title: "test", Version: "1"})
	require.NoError(t, err)
	consumers.Register(api, consumers.Config{Consumers: served})
	server := httptest.NewServer(api)
	t.Cleanup(server.Close)
	return server.URL
}

func TestParked(t *testing.T) {
	t.Parallel()
	bob, all := newStuck("bankaccConsumer"), &session{t: t, p: nil}
	query := serveConsumers(t, bob)
	notify := serveConsumers(t, newStuck("accNotifyConsumer"), newStuck("another"))
	strange := serveConsumers(t, newStuck("one"), newStuck("two"))
	type step struct {
		line string
		code int
	}
	run := func(url, line string, want int) {
		t.Helper()
		var out, errs bytes.Buffer
		code := execute(append(split(line), "--query-url", url, "--notify-url", notify), &out, &errs)
		all.note(line, code, out.String(), errs.String())
		require.Equal(t, want, code, all.text.String())
	}
	for _, s := range []step{
		{"parked list", exitDone},
		{"parked list --json", exitDone},
		{"parked list --service notify", exitDone},
		{"parked list --service notify --consumer another --json", exitDone},
		{"parked list --consumer bogus", exitNo},
		{"parked show ann", exitDone},
		{"parked show bob", exitDone},
		{"parked show bob --json", exitDone},
		{"parked show cid", exitNo},
		{"parked redrive bob", exitNo},
		{"parked redrive bob --json", exitNo},
		{"parked redrive cid", exitNo},
		{"parked discard bob --version 1", exitUsage},
		{"parked discard bob --reason because", exitUsage},
		{"parked discard bob --version 2 --reason 'it is red'", exitNo},
		{"parked discard ann --version 3 --reason 'it is red'", exitNo},
		{"parked discard bob --version 1 --reason 'it is red'", exitDone},
		{"parked list", exitDone},
	} {
		run(query, s.line, s.code)
	}
	require.Equal(t, "bob: it is red", bob.discard)
	bob.parked = nil
	run(query, "parked list", exitDone)
	run(strange, "parked list", exitUsage)
	run(serveConsumers(t), "parked list", exitNo)
	all.require("parked")
}
