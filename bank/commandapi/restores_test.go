package commandapi_test

import (
	"context"
	"encoding/json"
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

	"passbook/bank/commandapi"
	"passbook/bank/web"
	"passbook/es/event"
)

const (
	v2Restores   = "/api/v2/read-model/restores"
	v1Restore    = "/api/v1/restoreReadDb"
	restoresLost = "restores cannot be asked for now, since the broker cannot be reached or no relay has worked on it yet; " +
		"nothing has happened"
	restoreUncertain = "it is not known whether the restore was asked for: ask again, and one that runs is answered with"
	v1RestoreIs      = "Error while processing request to restore read database"
)

// desk keeps restores in memory, by the rules of the contract. A fault, if it has
// one, comes before everything.
type desk struct {
	mu       sync.Mutex
	fault    func(ctx context.Context) error
	restores []commandapi.Restore
	by       []event.Actor
}

func (d *desk) Request(ctx context.Context, by event.Actor) (commandapi.Restore, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.fault != nil {
		return commandapi.Restore{}, d.fault(ctx)
	}
	if n := len(d.restores); n > 0 && d.restores[n-1].State == commandapi.RestoreRunning {
		return d.restores[n-1], nil
	}
	d.by = append(d.by, by)
	restore := commandapi.Restore{ID: fmt.Sprint("r-", len(d.by)), State: commandapi.RestoreRunning}
	d.restores = append(d.restores, restore)
	return restore, nil
}

func (d *desk) Find(ctx context.Context, id string) (commandapi.Restore, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.fault != nil {
		return commandapi.Restore{}, d.fault(ctx)
	}
	for _, restore := range d.restores {
		if restore.ID == id {
			return restore, nil
		}
	}
	return commandapi.Restore{}, fmt.Errorf("topic restores: %w", commandapi.ErrNoRestore)
}

// report notes how far the last restore has come.
func (d *desk) report(state commandapi.RestoreState, events, total int64, why string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	last := &d.restores[len(d.restores)-1]
	last.State, last.Events, last.Total, last.Error = state, events, total, why
}

// withRestores opens a bank that restores can be asked of.
func withRestores(t *testing.T, changes ...func(*setup)) (*bank, *desk) {
	t.Helper()
	d := &desk{}
	var b *bank
	b = open(t, append([]func(*setup){func(s *setup) {
		s.api.Restores = d
		s.api.Head = func(ctx context.Context) (int64, error) { return b.store.Head(ctx) }
	}}, changes...)...)
	return b, d
}

func TestRestores(t *testing.T) {
	t.Parallel()
	b, d := withRestores(t, func(s *setup) {
		s.api.Admit = func(r *http.Request, op *web.Operation) (context.Context, error) {
			require.Equal(t, "operate", op.Scope, op.ID)
			return r.Context(), nil
		}
		s.api.Actor = func(context.Context) event.Actor { return "alice" }
	})
	const one, two = v2Restores + "/r-1", v2Restores + "/r-2"
	get := func(path string) string {
		a := b.send("GET", path, "")
		require.Equal(t, http.StatusOK, a.status, a.body)
		require.Equal(t, "application/json", a.header.Get("Content-Type"))
		return a.body
	}
	request := func(path, body string) {
		a := b.send("POST", v2Restores, "")
		require.Equal(t, http.StatusAccepted, a.status, a.body)
		require.Equal(t, path, a.header.Get("Location"))
		require.Equal(t, body, a.body)
		require.Equal(t, body, get(path))
	}
	b.send("GET", one, "").refused(t, 404, web.CodeNotFound, "there is no restore with this id")
	request(one, `{"id":"r-1","state":"running","events":0,"total":0}`)
	d.report(commandapi.RestoreRunning, 3, 7, "")
	request(one, `{"id":"r-1","state":"running","events":3,"total":7}`) // no second one is started
	d.report(commandapi.RestoreFailed, 3, 7, "account a cannot be read")
	require.Equal(t, `{"id":"r-1","state":"failed","events":3,"total":7,"error":"account a cannot be read"}`, get(one))
	request(two, `{"id":"r-2","state":"running","events":0,"total":0}`)
	d.report(commandapi.RestoreDone, 7, 7, "")
	require.Equal(t, `{"id":"r-2","state":"done","events":7,"total":7}`, get(two))
	require.Equal(t, []event.Actor{"alice", "alice"}, d.by)
	b.send("GET", v2Restores+"/r-3", "").refused(t, 404, web.CodeNotFound, "there is no restore with this id")
	require.Equal(t, http.StatusOK, b.send("HEAD", two, "").status)
	for path, allow := range map[string]string{v2Restores: "POST", one: "GET, HEAD", v1Restore: "POST"} {
		a := b.send("PUT", path, "")
		require.Equal(t, http.StatusMethodNotAllowed, a.status)
		require.Equal(t, allow, a.header.Get("Allow"))
	}
}

// A key is judged and then forgotten: after the end of a restore the same request
// starts another.
func TestRestores_IdempotencyKey(t *testing.T) {
	t.Parallel()
	b, d := withRestores(t)
	request := func(want string) {
		a := b.send("POST", v2Restores, "", "Idempotency-Key: k")
		require.Equal(t, v2Restores+"/"+want, a.header.Get("Location"))
		require.Empty(t, a.header.Get("Idempotent-Replayed"))
	}
	request("r-1")
	request("r-1")
	d.report(commandapi.RestoreDone, 1, 1, "")
	request("r-2")
	for _, headers := range [][]string{{"Idempotency-Key: "}, {"Idempotency-Key: é"}, {"Idempotency-Key: a", "Idempotency-Key: a"}} {
		b.send("POST", v2Restores, "", headers...).refused(t, 400, web.CodeInvalidRequest,
			"Idempotency-Key: must be 1 to 255 printable ASCII characters, and be sent once")
	}
	require.Len(t, d.restores, 2)
}

func TestRestores_Version1(t *testing.T) {
	t.Parallel()
	b, d := withRestores(t)
	b.send("POST", v1Restore, "").problem(t, 400, web.CodeInvalidRequest, "Could not retrieve event from the event store")
	require.Empty(t, d.restores)
	b.account(t)
	for range 2 {
		for _, path := range []string{v1Restore, v1Restore + "/"} {
			a := b.send("POST", path, "")
			require.Equal(t, http.StatusCreated, a.status, a.body)
			require.Equal(t, "application/json", a.header.Get("Content-Type"))
			require.Equal(t, `{"message":"Read database restore request completed successfully!"}`, a.body)
		}
	}
	require.Len(t, d.restores, 1)
}

// An empty store can have a wrong read model.
func TestRestores_EmptyStore(t *testing.T) {
	t.Parallel()
	b, d := withRestores(t)
	require.Equal(t, http.StatusAccepted, b.send("POST", v2Restores, "").status)
	require.Len(t, d.restores, 1)
}

func TestRestores_Failures(t *testing.T) {
	t.Parallel()
	var log lockedBuffer
	b, d := withRestores(t, func(s *setup) { s.api.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
	b.account(t)
	for _, failure := range []struct {
		err    error
		status int
		code   web.Code
		detail string
	}{
		{fmt.Errorf("secret: %w", commandapi.ErrRestoresUnavailable), 503, web.CodeUnavailable, restoresLost},
		{fmt.Errorf("%w: %w", commandapi.ErrRestoresUnavailable, context.DeadlineExceeded), 503, web.CodeUnavailable, restoresLost},
		{fmt.Errorf("%w: secret", commandapi.ErrRestoreUncertain), 504, web.CodeOutcomeUnknown, restoreUncertain},
		{errors.New("secret"), 500, web.CodeInternal, "the log has more under "},
	} {
		d.fault = func(context.Context) error { return failure.err }
		for _, a := range []answer{b.send("POST", v2Restores, ""), b.send("GET", v2Restores+"/r-1", ""), b.send("POST", v1Restore, "")} {
			message := ""
			if strings.Contains(a.body, `"message"`) {
				message = v1RestoreIs
			}
			p := a.failed(t, failure.status, failure.code, message)
			require.True(t, strings.HasPrefix(p.Detail, failure.detail), p.Detail)
			require.Equal(t, failure.status == 503, a.header.Get("Retry-After") == "1")
		}
		require.Contains(t, b.send("POST", v1Restore, "").body, `"message":"`+v1RestoreIs+`"`)
	}
	require.Equal(t, 4, strings.Count(log.String(), "error=secret"), "of 4 internal errors:\n%s", log.String())
}

// Who does not answer in time may have heard the request, so its fate is open.
// A question that is not answered changes nothing.
func TestRestores_Timeout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b, d := withRestores(t)
		b.account(t)
		d.fault = func(ctx context.Context) error {
			<-ctx.Done()
			return fmt.Errorf("produce: %w", ctx.Err())
		}
		began := time.Now()
		b.send("POST", v2Restores, "").refused(t, 504, web.CodeOutcomeUnknown, restoreUncertain)
		b.send("POST", v1Restore, "").problem(t, 504, web.CodeOutcomeUnknown, v1RestoreIs)
		b.send("GET", v2Restores+"/r-1", "").refused(t, 503, web.CodeUnavailable,
			restoresLost)
		require.Equal(t, 30*time.Second, time.Since(began))
	})
}

// The store does not say whether it is empty.
func TestRestores_HeadUnknown(t *testing.T) {
	t.Parallel()
	b, d := withRestores(t, func(s *setup) {
		s.api.Head = func(context.Context) (int64, error) { return 0, errEngine }
	})
	a := b.send("POST", v1Restore, "")
	a.failed(t, 503, web.CodeUnavailable, v1RestoreIs)
	require.Equal(t, "1", a.header.Get("Retry-After"))
	require.Empty(t, d.restores)
}

func TestRestores_WithoutBroker(t *testing.T) {
	t.Parallel()
	b := open(t)
	const why = "this process was started without a broker, over which restores are asked for"
	for _, a := range []answer{b.send("POST", v2Restores, ""), b.send("GET", v2Restores+"/r-1", "")} {
		a.refused(t, 503, web.CodeUnavailable, why)
		require.Equal(t, "1", a.header.Get("Retry-After"))
	}
	p := b.send("POST", v1Restore, "").problem(t, 503, web.CodeUnavailable, v1RestoreIs)
	require.Equal(t, why, p.Detail)
}

// What the document shows is what is answered.
func TestDocument_Examples(t *testing.T) {
	t.Parallel()
	type media map[string]struct{ Example json.RawMessage }
	var document struct {
		Paths map[string]map[string]struct {
			OperationID string
			RequestBody struct{ Content media }
			Responses   map[string]struct{ Content media }
		}
	}
	b, _ := withRestores(t)
	require.NoError(t, json.Unmarshal([]byte(b.send("GET", "/openapi.json", "").body), &document))
	shown := map[string]bool{}
	for _, path := range []string{
		v2Accounts, v2Accounts + "/{id}/deposits", v2Accounts + "/{id}/withdrawals", v2Accounts + "/{id}/closure",
	} {
		op := document.Paths[path]["post"]
		shown[op.OperationID] = true
		a := b.send("POST", strings.ReplaceAll(path, "{id}", "john-1"), string(op.RequestBody.Content["application/json"].Example))
		require.Equal(t, http.StatusCreated, a.status, a.body)
		require.JSONEq(t, string(op.Responses["201"].Content["application/json"].Example), a.body, path)
	}
	for path, methods := range document.Paths {
		for _, op := range methods {
			if strings.HasPrefix(path, "/api/v2/accounts") {
				require.True(t, shown[op.OperationID], path)
			}
		}
	}
}
