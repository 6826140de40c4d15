package commandapi_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"passbook/bank/web"
	"passbook/engine/memory"
	"passbook/es/event"
	"passbook/es/eventstore"
)

const (
	patience = 30 * time.Second
	tick     = time.Millisecond
)

var errEngine = errors.New("dial tcp 10.0.0.7:27017: secret")

// faults are what an engine does instead of its work.
type faults struct {
	append, read, findKey error
	conflict              bool
}

// broken is an engine with faults, as long as it has them.
type broken struct {
	eventstore.Engine
	mu     sync.Mutex
	faults faults
}

func newBroken() *broken { return &broken{Engine: memory.NewEventStore()} }

func (e *broken) set(f faults) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.faults = f
}

func (e *broken) now() faults {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.faults
}

func (e *broken) Append(ctx context.Context, first int64, group []eventstore.Commit) ([]eventstore.Outcome, error) {
	f := e.now()
	if f.append != nil {
		return nil, f.append
	}
	if f.conflict {
		outcomes := make([]eventstore.Outcome, len(group))
		outcomes[0] = eventstore.Outcome{State: eventstore.Conflict, Actual: 7}
		return outcomes, nil
	}
	return e.Engine.Append(ctx, first, group)
}

func (e *broken) ReadStream(ctx context.Context, stream string, from int64, limit int) ([]event.Envelope, error) {
	if err := e.now().read; err != nil {
		return nil, err
	}
	return e.Engine.ReadStream(ctx, stream, from, limit)
}

func (e *broken) FindKey(ctx context.Context, key event.Key) (eventstore.KeyRecord, error) {
	if err := e.now().findKey; err != nil {
		return eventstore.KeyRecord{}, err
	}
	return e.Engine.FindKey(ctx, key)
}

// gate is an engine that can be made to wait in Append.
type gate struct {
	eventstore.Engine
	entered chan struct{}
	mu      sync.Mutex
	barrier chan struct{} // nil: open
}

func newGate() *gate {
	return &gate{Engine: memory.NewEventStore(), entered: make(chan struct{}, 100)}
}

func (g *gate) shut() { g.mu.Lock(); defer g.mu.Unlock(); g.barrier = make(chan struct{}) }
func (g *gate) open() { g.mu.Lock(); defer g.mu.Unlock(); close(g.barrier); g.barrier = nil }

func (g *gate) Append(ctx context.Context, first int64, group []eventstore.Commit) ([]eventstore.Outcome, error) {
	g.mu.Lock()
	barrier := g.barrier
	g.mu.Unlock()
	if barrier != nil {
		g.entered <- struct{}{}
		select {
		case <-barrier:
		case <-ctx.Done():
			return nil, fmt.Errorf("%w: %w", eventstore.ErrNotWritten, ctx.Err())
		}
	}
	return g.Engine.Append(ctx, first, group)
}

// commands are one of each, with the original's sentence for a failure inside.
// {uuid} stands for the account that was to be opened.
func commands(b *bank, id string) map[string]func(headers ...string) answer {
	about := func(what string) string {
		return "Error while processing request to " + what + " bank account for id - "
	}
	return map[string]func(headers ...string) answer{
		about("open a new") + "{uuid}.": func(h ...string) answer {
			return b.send("POST", "/api/v1/openBankAccount", openBody, h...)
		},
		about("deposit funds to") + id + ".":  func(h ...string) answer { return b.deposit(id, "1", h...) },
		about("withdraw funds to") + id + ".": func(h ...string) answer { return b.withdraw(id, "1", h...) },
		about("close") + id + ".":             func(h ...string) answer { return b.close(id, h...) },
	}
}

// failed checks a failure inside; sentence may have {uuid} in it.
func (a answer) failed(t *testing.T, status int, code web.Code, sentence string) web.Problem {
	t.Helper()
	if strings.Contains(sentence, "{uuid}") {
		a.body = uuid.ReplaceAllString(a.body, "{uuid}")
	}
	require.NotContains(t, a.body, "secret")
	return a.problem(t, status, code, sentence)
}

func TestUnavailable(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]faults{
		"Append":  {append: fmt.Errorf("%w: %w", eventstore.ErrNotWritten, errEngine)},
		"Read":    {read: errEngine},
		"FindKey": {findKey: errEngine},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				engine := newBroken()
				id := open(t, on(engine)).account(t)
				engine.set(f)
				b := open(t, on(engine)) // with nothing in memory
				for sentence, give := range commands(b, id) {
					a := give("Idempotency-Key: " + sentence)
					p := a.failed(t, http.StatusServiceUnavailable, web.CodeUnavailable, sentence)
					require.Equal(t, "the event store cannot be reached; nothing has happened", p.Detail)
					require.Equal(t, "1", a.header.Get("Retry-After"))
				}
				engine.set(faults{})
				require.Len(t, b.events(t), 1)
				a := b.deposit(id, "1", "Idempotency-Key: in").ok(t)
				require.Empty(t, a.header.Get("Idempotent-Replayed"))
			})
		})
	}
}

// The default deadline of ten seconds, on the bubble's clock.
func TestOutcomeUnknown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		engine := newBroken()
		b := open(t, on(engine))
		for sentence, give := range commands(b, b.account(t)) {
			if strings.Contains(sentence, "to close") || strings.Contains(sentence, "open a new") {
				continue // one command in doubt at a time; those two have a test below
			}
			engine.set(faults{append: errEngine})
			began := time.Now()
			a := give("Idempotency-Key: " + sentence)
			require.Equal(t, 10*time.Second, time.Since(began))
			p := a.failed(t, http.StatusGatewayTimeout, web.CodeOutcomeUnknown, sentence)
			require.Equal(t, "the event store did not confirm the command in time: send the request again with the same "+
				"Idempotency-Key to learn what became of it", p.Detail)

			again := give("Idempotency-Key: " + sentence)
			again.problem(t, http.StatusConflict, web.CodeIdempotencyKeyInFlight,
				"the first request with this key is still being answered")
			require.Equal(t, "1", again.header.Get("Retry-After"))

			before := len(b.events(t))
			engine.set(faults{})
			require.NoError(t, b.store.Await(t.Context(), int64(before)))
			synctest.Wait()
			require.Equal(t, "true", give("Idempotency-Key: "+sentence).ok(t).header.Get("Idempotent-Replayed"))
			require.Len(t, b.events(t), before+1)
		}
	})
}

func TestOutcomeUnknown_OpenAndClose(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		engine := newBroken()
		b := open(t, on(engine))
		id := b.account(t)
		engine.set(faults{append: errEngine})
		a := b.send("POST", "/api/v1/openBankAccount", openBody, "Idempotency-Key: open")
		a.failed(t, 504, web.CodeOutcomeUnknown, "Error while processing request to open a new bank account for id - {uuid}.")
		named := uuid.FindString(a.body)
		b.close(id, "Idempotency-Key: over").failed(t, 504, web.CodeOutcomeUnknown,
			"Error while processing request to close bank account for id - "+id+".")

		engine.set(faults{})
		require.NoError(t, b.store.Await(t.Context(), 2))
		synctest.Wait()
		require.Equal(t, named, b.send("POST", "/api/v1/openBankAccount", openBody, "Idempotency-Key: open").id(t))
		require.JSONEq(t, closed, b.close(id, "Idempotency-Key: over").ok(t).body)
		require.Len(t, b.events(t), 3)
	})
}

// A refusal that rests on what is in doubt is no refusal yet, and changes
// nothing: so it is not unknown either.
func TestUnavailable_RefusalInDoubt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		engine := newBroken()
		b := open(t, on(engine))
		id := b.account(t)
		engine.set(faults{append: errEngine})
		sentence := "Error while processing request to withdraw funds to bank account for id - " + id + "."
		b.withdraw(id, "50").failed(t, 504, web.CodeOutcomeUnknown, sentence)
		b.withdraw(id, "50").failed(t, 503, web.CodeUnavailable, sentence)
		engine.set(faults{})
		require.NoError(t, b.store.Await(t.Context(), 1))
		b.withdraw(id, "50").problem(t, 400, web.CodeInsufficientFunds, "Withdraw declined, insufficient funds!")
	})
}

func TestOverload(t *testing.T) {
	t.Parallel()
	engine := newGate()
	b := open(t, on(engine), func(s *setup) { s.store.QueueMax = 1 })
	ids := []string{b.account(t), b.account(t), b.account(t)}
	engine.shut()
	var waiting sync.WaitGroup
	statuses := make([]int, 2)
	waiting.Go(func() { statuses[0] = b.deposit(ids[0], "1").status })
	<-engine.entered
	waiting.Go(func() { statuses[1] = b.deposit(ids[1], "1").status })
	require.Eventually(t, func() bool { return b.store.Stats().Waiting == 1 }, patience, tick)

	a := b.deposit(ids[2], "1")
	a.problem(t, http.StatusTooManyRequests, web.CodeTooManyRequests, "too many commands are waiting; nothing has happened")
	require.Equal(t, "1", a.header.Get("Retry-After"))
	engine.open()
	waiting.Wait()
	require.Equal(t, []int{200, 200}, statuses)
	b.requireBalance(t, ids[2], "50.00 EUR")
}

func TestConflict(t *testing.T) {
	t.Parallel()
	engine := newBroken()
	b := open(t, on(engine))
	id := b.account(t)
	engine.set(faults{conflict: true})
	a := b.deposit(id, "1")
	a.problem(t, http.StatusConflict, web.CodeVersionConflict, "the account was changed by others at the same time; try again")
}

// An account whose history this program cannot read: the client gets the
// original's sentence and where to look, the log gets the reason.
func TestInternal(t *testing.T) {
	t.Parallel()
	var log lockedBuffer
	b := open(t, func(s *setup) { s.api.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
	_, err := b.store.Append(t.Context(), eventstore.Commit{
		Stream: "future", Expected: event.NoVersion, Events: []event.Envelope{{
			ID: event.NewID(), Type: event.Type{Name: "passbook.account.secret", Schema: 9},
			Time: event.Truncate(time.Now()), Data: []byte(`{}`),
		}},
	})
	require.NoError(t, err)
	for sentence, give := range commands(b, "future") {
		if strings.Contains(sentence, "open") {
			continue // it reads no history that could be unreadable
		}
		p := give("X-Correlation-Id: c-7").failed(t, http.StatusInternalServerError, web.CodeInternal, sentence)
		require.Equal(t, "the log has more under correlation c-7", p.Detail)
	}
	require.Contains(t, log.String(), "correlation=c-7")
	require.Contains(t, log.String(), "passbook.account.secret.v9")
	require.Len(t, b.events(t), 1)
}

// A new account has no history; what the store cannot hold fails inside too.
func TestInternal_Open(t *testing.T) {
	t.Parallel()
	b := open(t, func(s *setup) {
		s.api.Actor = func(context.Context) event.Actor { return event.Actor(longText(256)) }
	})
	b.send("POST", "/api/v1/openBankAccount", openBody, "Idempotency-Key: k").failed(t, http.StatusInternalServerError,
		web.CodeInternal, "Error while processing request to open a new bank account for id - {uuid}.")
}

// A panic below is answered as well, and the service goes on.
func TestInternal_Panic(t *testing.T) {
	t.Parallel()
	b := open(t, func(s *setup) { s.engine = panicking{s.engine} })
	a := b.deposit("boom", "1")
	require.Equal(t, http.StatusInternalServerError, a.status)
	require.NotContains(t, a.body, "secret")
	require.Contains(t, a.body, `"message":"the log has more under request `)
	b.account(t)
}

type panicking struct{ eventstore.Engine }

func (p panicking) ReadStream(ctx context.Context, stream string, from int64, limit int) ([]event.Envelope, error) {
	if stream == "boom" {
		panic("secret")
	}
	return p.Engine.ReadStream(ctx, stream, from, limit)
}

type lockedBuffer struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.String()
}
