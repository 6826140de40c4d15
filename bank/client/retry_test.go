package client_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"passbook/bank/client"
)

const (
	plenty = time.Hour              // no test comes to its end
	little = 400 * time.Millisecond // of tests that wait for the end of it
)

func readAll(r io.Reader) string {
	content, _ := io.ReadAll(r)
	return string(content)
}

// Whatever gets lost on the way, a command is the same command when it is sent
// again, and the answer that comes in the end is its answer.
func TestCommand_SentAgain(t *testing.T) {
	t.Parallel()
	done := reply(http.StatusCreated, receipt, "Idempotent-Replayed", "true")
	for name, first := range map[string]http.HandlerFunc{
		"CutAfterCommit":  cut,
		"CutInTheAnswer":  cutInBody,
		"Unavailable":     reply(http.StatusServiceUnavailable, unavailable),
		"OutcomeUnknown":  reply(http.StatusGatewayTimeout, unknown),
		"InFlight":        reply(http.StatusConflict, inFlight, "Retry-After", "0"),
		"TooMany":         reply(http.StatusTooManyRequests, tooMany),
		"Internal":        reply(http.StatusInternalServerError, `{"status":500,"code":"internal"}`),
		"ProxyGoneWrong":  reply(http.StatusBadGateway, "<html>", "Content-Type", "text/html"),
		"RetryAfterADate": reply(http.StatusServiceUnavailable, unavailable, "Retry-After", "Fri, 01 Jan 2010 00:00:00 GMT"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := play(t, first, first, done)
			got, err := deposit(t, s.URL, plenty)
			require.NoError(t, err)
			key := s.requireOneCommand(t, 3)
			require.Equal(t, "12.50 EUR", got.Balance.String())
			require.Equal(t, int64(3), got.Version)
			require.Equal(t, int64(77), got.Position)
			require.Equal(t, client.Issued{Key: key, Replayed: true}, got.Issued)
		})
	}
}

// A connection that has gone silent does not use up the time of the whole call.
func TestCommand_SilentConnection(t *testing.T) {
	t.Parallel()
	s := play(t, hang, reply(http.StatusCreated, receipt))
	_, err := deposit(t, s.URL, 4*time.Second)
	require.NoError(t, err)
	s.requireOneCommand(t, 2)
}

// What is not known is not called a failure, and what is known is not called
// unknown.
func TestCommand_Unknown(t *testing.T) {
	t.Parallel()
	busy := reply(http.StatusServiceUnavailable, unavailable)
	for name, acts := range map[string][]http.HandlerFunc{
		"CutEachTime":                  {cut},
		"CutThenUnavailable":           {cut, busy},
		"CutThenTooMany":               {cut, reply(http.StatusTooManyRequests, tooMany, "Retry-After", "60")},
		"UnknownToTheService":          {reply(http.StatusGatewayTimeout, unknown)},
		"InFlightUntilTheEnd":          {reply(http.StatusConflict, inFlight)},
		"NoAnswer":                     {hang},
		"DoneInWordsNobodyReads":       {reply(http.StatusCreated, "<html>")},
		"DoneInTooManyWords":           {giant},
		"UnavailableThenLostItsTongue": {busy, cut},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := play(t, acts...)
			got, err := deposit(t, s.URL, little)
			var open *client.UnknownError
			require.ErrorAs(t, err, &open)
			require.Equal(t, s.seen()[0].Header.Get("Idempotency-Key"), open.Key)
			require.Equal(t, open.Key, got.Key)
			require.ErrorContains(t, err, open.Key)
			require.NotContains(t, err.Error(), "\n")
		})
	}
}

func giant(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusCreated)
	piece := make([]byte, 1<<20)
	for i := range piece {
		piece[i] = ' '
	}
	for range 64 {
		if _, err := w.Write(piece); err != nil {
			return
		}
	}
	_, _ = w.Write([]byte(receipt))
}

func TestCommand_Refused(t *testing.T) {
	t.Parallel()
	t.Run("AtOnce", func(t *testing.T) {
		t.Parallel()
		s := play(t, reply(http.StatusUnprocessableEntity, insufficient, "X-Request-Id", "r-1"))
		_, err := deposit(t, s.URL, plenty)
		s.requireOneCommand(t, 1)
		var refusal *client.Error
		require.ErrorAs(t, err, &refusal)
		require.True(t, refusal.Refused())
		require.Equal(t, "r-1", refusal.RequestID)
		require.Equal(t, "insufficient-funds", client.CodeOf(err))
		require.EqualError(t, err, "the balance is 1.00 EUR (insufficient-funds)")
	})
	t.Run("AfterALoss", func(t *testing.T) { // the key was looked up: it is the answer to the first attempt too
		t.Parallel()
		_, err := deposit(t, play(t, cut, reply(http.StatusUnprocessableEntity, insufficient)).URL, plenty)
		require.EqualError(t, err, "the balance is 1.00 EUR (insufficient-funds)")
	})
	t.Run("Version", func(t *testing.T) {
		t.Parallel()
		_, err := deposit(t, play(t, reply(http.StatusPreconditionFailed, versionAnswer)).URL, plenty)
		require.EqualError(t, err, "the version is another: expected version 1, there is 4 (version-conflict)")
	})
	t.Run("NotAnAPI", func(t *testing.T) {
		t.Parallel()
		_, err := deposit(t, play(t, reply(http.StatusNotFound, "<h1>no</h1>", "Content-Type", "text/html")).URL, plenty)
		require.ErrorContains(t, err, "answered 404 Not Found, and not in the way of this API")
	})
}

// A service that cannot do it and did not: that is known. It is not waited for
// where the wait it asks for passes the end.
func TestCommand_NothingHappened(t *testing.T) {
	t.Parallel()
	t.Run("UnavailableToTheEnd", func(t *testing.T) {
		t.Parallel()
		_, err := deposit(t, play(t, reply(http.StatusServiceUnavailable, unavailable)).URL, little)
		require.Equal(t, "unavailable", client.CodeOf(err))
		require.NotErrorAs(t, err, new(*client.UnknownError))
	})
	t.Run("ALongWait", func(t *testing.T) {
		t.Parallel()
		s := play(t, reply(http.StatusTooManyRequests, tooMany, "Retry-After", "3600"))
		_, err := deposit(t, s.URL, plenty)
		require.EqualError(t, err, "slow down (too-many-requests)")
		s.requireOneCommand(t, 1)
	})
	t.Run("NobodyThere", func(t *testing.T) {
		t.Parallel()
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		require.NoError(t, listener.Close())
		_, err = deposit(t, "http://"+listener.Addr().String(), plenty)
		require.ErrorAs(t, err, new(*client.UnreachableError))
		require.ErrorContains(t, err, "cannot reach the command service at http://127.0.0.1:")
	})
}

// Who interrupts a command is told that it may have been carried out.
func TestCommand_Interrupted(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	s := play(t, func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	})
	_, err := dial(t, s.URL, plenty).CloseAccount(ctx, "a1", "", client.CommandOptions{Key: "mine"})
	require.ErrorIs(t, err, context.Canceled)
	var open *client.UnknownError
	require.ErrorAs(t, err, &open)
	require.Equal(t, "mine", open.Key)
}

// Nobody waits for a pause to end who wants to go.
func TestCommand_InterruptedInAPause(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	s := play(t, func(w http.ResponseWriter, r *http.Request) {
		reply(http.StatusServiceUnavailable, unavailable, "Retry-After", "50")(w, r)
		w.(http.Flusher).Flush()
		time.AfterFunc(20*time.Millisecond, cancel) // most probably while it waits; before is as good
	})
	_, err := dial(t, s.URL, plenty).CloseAccount(ctx, "a1", "", client.CommandOptions{})
	require.ErrorIs(t, err, context.Canceled)
	require.Len(t, s.seen(), 1)
}

// A service that asks for a pause gets it.
func TestCommand_RetryAfter(t *testing.T) {
	t.Parallel()
	var first time.Time
	s := play(t, func(w http.ResponseWriter, r *http.Request) {
		first = time.Now()
		reply(http.StatusTooManyRequests, tooMany, "Retry-After", "1")(w, r)
	}, func(w http.ResponseWriter, r *http.Request) {
		if time.Since(first) < time.Second {
			reply(http.StatusConflict, `{"code":"too-early"}`)(w, r)
			return
		}
		reply(http.StatusCreated, receipt)(w, r)
	})
	_, err := deposit(t, s.URL, plenty)
	require.NoError(t, err)
}

func TestQuery_AskedAgain(t *testing.T) {
	t.Parallel()
	s := play(t, cut, reply(http.StatusServiceUnavailable, unavailable), reply(http.StatusTooManyRequests, tooMany), reply(http.StatusOK, someAccount))
	_, err := dial(t, s.URL, plenty).Account(t.Context(), "a1", client.AccountQuery{})
	require.NoError(t, err)
	require.Len(t, s.seen(), 4)

	s = play(t, reply(http.StatusNotFound, `{"status":404,"code":"account-not-found"}`))
	_, err = dial(t, s.URL, plenty).Account(t.Context(), "a1", client.AccountQuery{})
	require.Equal(t, "account-not-found", client.CodeOf(err))
	require.Len(t, s.seen(), 1)

	_, err = dial(t, play(t, hang).URL, little).Account(t.Context(), "a1", client.AccountQuery{})
	require.ErrorContains(t, err, "the query service did not answer in time")
	require.ErrorIs(t, err, context.DeadlineExceeded)
}

// What has no key is not sent again where it may have happened.
func TestDiscard_SentOnce(t *testing.T) {
	t.Parallel()
	flows := reply(http.StatusOK, `{"flows":true}`)
	discard := func(s *script) (client.Flow, error) {
		return dial(t, s.URL, plenty).Discard(t.Context(), client.QuerySide, "c", "a1", 3, "why")
	}
	for name, first := range map[string]http.HandlerFunc{
		"Cut":     cut,
		"Unknown": reply(http.StatusGatewayTimeout, unknown),
		"NotJSON": reply(http.StatusOK, "done"),
	} {
		s := play(t, first, flows)
		_, err := discard(s)
		var open *client.UnknownError
		require.ErrorAs(t, err, &open, name)
		require.Empty(t, open.Key)
		require.ErrorContains(t, err, "look before it is repeated")
		require.Len(t, s.seen(), 1, name)
	}
	s := play(t, reply(http.StatusServiceUnavailable, unavailable), flows)
	flow, err := discard(s)
	require.NoError(t, err)
	require.True(t, flow.Flows)
	require.Equal(t, "/api/v2/consumers/c/parked/a1/discard", s.seen()[1].URL.Path)
	require.JSONEq(t, `{"version":3,"reason":"why"}`, s.bodies[1])

	_, err = discard(play(t, reply(http.StatusConflict, versionAnswer)))
	require.Equal(t, "version-conflict", client.CodeOf(err))
}

// A restore that may have begun is asked for again: while it runs, it is the one.
func TestRestore_AskedForAgain(t *testing.T) {
	t.Parallel()
	s := play(t, cut, reply(http.StatusAccepted, `{"id":"r1","state":"running","events":0,"total":0}`))
	started, err := dial(t, s.URL, plenty).StartRestore(t.Context())
	require.NoError(t, err)
	require.Equal(t, client.Restore{ID: "r1", State: client.RestoreRunning}, started)

	_, err = dial(t, play(t, cut).URL, little).StartRestore(t.Context())
	require.ErrorContains(t, err, "it can be asked for again")
	require.NotErrorAs(t, err, new(*client.UnknownError))
}
