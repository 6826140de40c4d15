package notify_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"passbook/bank/notify"
	"passbook/contract/account"
)

// secret is a webhook's: 24 bytes.
const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

// notification is a deposit on an account.
func notification(address string) notify.Notification {
	amount, balance := money("12.50 EUR"), money("112.50 EUR")
	return notify.Notification{ID: "11111111-2222-8333-8444-555555555555", Address: address, Message: notify.Message{
		Kind: notify.KindDeposited, EventID: "e1", AccountID: "a1", Version: 7, Holder: "Jörg \"J\" Müller",
		Time: time.Date(2026, 11, 22, 6, 23, 1, 949_000_000, time.UTC), Amount: &amount, Balance: &balance, Reference: "rent",
	}}
}

const text = "12.50 EUR was deposited into your account a1; the balance is now 112.50 EUR."

// channel is the one channel of settings.
func channel(t *testing.T, s notify.Settings) notify.Channel {
	t.Helper()
	channels, err := notify.ParseChannels(s, quiet())
	require.NoError(t, err)
	require.Len(t, channels, 1)
	return channels[0]
}

// request is what a service got.
type request struct {
	header http.Header
	body   string
}

// serve runs an HTTP service that answers with a status.
func serve(t *testing.T, status int, header ...string) (url string, got chan request) {
	t.Helper()
	got = make(chan request, 100)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got <- request{header: r.Header, body: string(body)}
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		_, _ = w.Write(bytes.Repeat([]byte("secret answer "), 100_000))
	}))
	t.Cleanup(server.Close)
	return server.URL, got
}

// signature is HMAC-SHA256 as RFC 2104 writes it down, by hand.
func signature(key []byte, text string) string {
	inner, outer := bytes.Repeat([]byte{0x36}, 64), bytes.Repeat([]byte{0x5c}, 64)
	for i, b := range key {
		inner[i] ^= b
		outer[i] ^= b
	}
	first := sha256.Sum256(append(inner, text...))
	second := sha256.Sum256(append(outer, first[:]...))
	return base64.StdEncoding.EncodeToString(second[:])
}

func TestWebhook_Signature(t *testing.T) {
	// The example that the specification's libraries are tested with.
	got, err := notify.Sign(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", `{"test": 2432232314}`)
	require.NoError(t, err)
	require.Equal(t, "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", got)
}

func TestWebhook(t *testing.T) {
	address, got := serve(t, http.StatusNoContent)
	hook := channel(t, notify.Settings{Channels: "webhook", WebhookURL: address + "/hook?token=t", WebhookSecret: secret})
	require.NoError(t, hook.Send(t.Context(), notification("")))
	r := <-got
	require.Equal(t, "application/json", r.header.Get("Content-Type"))
	require.Equal(t, "11111111-2222-8333-8444-555555555555", r.header.Get("webhook-id"))
	seconds, err := strconv.ParseInt(r.header.Get("webhook-timestamp"), 10, 64)
	require.NoError(t, err)
	require.InDelta(t, time.Now().Unix(), seconds, 60)
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	require.NoError(t, err)
	require.Equal(t, "v1,"+signature(key, r.header.Get("webhook-id")+"."+r.header.Get("webhook-timestamp")+"."+r.body),
		r.header.Get("webhook-signature"))
	require.JSONEq(t, `{"type":"account.deposited","timestamp":"2026-11-22T06:23:01.949Z","data":{
		"kind":"DEPOSITED","eventId":"e1","accountId":"a1","version":7,"time":"2026-11-22T06:23:01.949Z",
		"accountHolder":"Jörg \"J\" Müller","amount":{"amount":"12.50","currency":"EUR"},
		"balance":{"amount":"112.50","currency":"EUR"},"reference":"rent","text":"`+text+`"}}`, r.body)
	where, ok := hook.Address(notify.Contact{})
	require.True(t, ok)
	require.Empty(t, where)
}

func TestHTTPChannels_Fail(t *testing.T) {
	other, gotOther := serve(t, http.StatusOK)
	for name, settings := range map[string]func(url string) notify.Settings{
		"webhook": func(u string) notify.Settings {
			return notify.Settings{Channels: "webhook", WebhookURL: u, WebhookSecret: secret}
		},
		"sms": func(u string) notify.Settings {
			return notify.Settings{Channels: "sms", SMSURL: u, SMSAuth: "Bearer hidden"}
		},
	} {
		t.Run(name, func(t *testing.T) {
			send := func(ctx context.Context, u string) error {
				return channel(t, settings(u)).Send(ctx, notification("+49 170 1"))
			}
			for status, want := range map[int]string{
				500: "it answered 500 Internal Server Error", 404: "it answered 404 Not Found", 429: "it answered 429 Too Many Requests",
			} {
				address, _ := serve(t, status)
				require.EqualError(t, send(t.Context(), address), want, "and nothing of the answer")
			}
			address, _ := serve(t, http.StatusTemporaryRedirect, "Location", other)
			require.EqualError(t, send(t.Context(), address), "it answered 307 Temporary Redirect")
			require.Empty(t, gotOther, "what is meant for one address goes to no other")

			nobody := httptest.NewServer(nil)
			nobody.Close()
			withSecret, err := url.Parse(nobody.URL)
			require.NoError(t, err)
			withSecret.User, withSecret.RawQuery = url.UserPassword("user", "hidden"), "token=hidden"
			err = send(t.Context(), withSecret.String())
			require.ErrorContains(t, err, "refused")
			require.NotErrorIs(t, err, notify.ErrRefused)
			require.NotContains(t, err.Error(), "hidden")

			stranger := httptest.NewTLSServer(nil)
			t.Cleanup(stranger.Close)
			stranger.Config.ErrorLog = slog.NewLogLogger(quiet().Handler(), slog.LevelError)
			require.ErrorContains(t, send(t.Context(), stranger.URL), "certificate", "nobody is trusted without one")

			silent := make(chan struct{})
			hanging := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-silent }))
			t.Cleanup(hanging.Close)
			t.Cleanup(func() { close(silent) })
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			require.ErrorIs(t, send(ctx, hanging.URL), context.DeadlineExceeded)
		})
	}
}

func TestSMS(t *testing.T) {
	address, got := serve(t, http.StatusCreated)
	send := func(s notify.Settings, to string) request {
		s.Channels, s.SMSURL = "sms", address
		require.NoError(t, channel(t, s).Send(t.Context(), notification(to)))
		return <-got
	}
	r := send(notify.Settings{}, `+49 "170`)
	require.JSONEq(t, `{"to":"+49 \"170","text":"`+text+`"}`, r.body)
	require.Equal(t, "application/json", r.header.Get("Content-Type"))
	require.Equal(t, "11111111-2222-8333-8444-555555555555", r.header.Get("Idempotency-Key"))
	require.Empty(t, r.header.Get("Authorization"))

	r = send(notify.Settings{SMSTemplate: `to={{urlquery .To}}&text={{urlquery .Text}}&ref={{.ID}}`, SMSAuth: "Basic dXNlcjpw:x"}, "+49&x=y")
	require.Equal(t, "application/x-www-form-urlencoded", r.header.Get("Content-Type"))
	require.Equal(t, "Basic dXNlcjpw:x", r.header.Get("Authorization"))
	form, err := url.ParseQuery(r.body)
	require.NoError(t, err)
	require.Equal(t, url.Values{"to": {"+49&x=y"}, "text": {text}, "ref": {"11111111-2222-8333-8444-555555555555"}}, form)

	r = send(notify.Settings{SMSTemplate: `[{"messages":[{{json .To}}], "body":{{json .Text}}}]`, SMSAuth: "X-Api-Key: k:v"}, "+1")
	require.Equal(t, "k:v", r.header.Get("X-Api-Key"))
	require.True(t, json.Valid([]byte(r.body)))

	c := channel(t, notify.Settings{Channels: "sms", SMSURL: address})
	to, ok := c.Address(notify.Contact{Phone: "+1", Email: "a@example.com"})
	require.True(t, ok)
	require.Equal(t, "+1", to)
	_, ok = c.Address(notify.Contact{Email: "a@example.com"})
	require.False(t, ok)
}

func TestLog(t *testing.T) {
	var written bytes.Buffer
	log := slog.New(slog.NewJSONHandler(&written, &slog.HandlerOptions{Level: slog.LevelError}))
	channels, err := notify.ParseChannels(notify.Settings{}, log)
	require.NoError(t, err)
	require.Len(t, channels, 1)
	require.NoError(t, channels[0].Send(t.Context(), notification("")))
	require.Equal(t, 1, strings.Count(written.String(), "\n"))
	var line map[string]any
	require.NoError(t, json.Unmarshal(written.Bytes(), &line))
	delete(line, "time")
	require.Equal(t, map[string]any{
		"level": "INFO", "msg": "notification", "id": "11111111-2222-8333-8444-555555555555", "account": "a1", "kind": "DEPOSITED", "text": text,
	}, line)

	channels, err = notify.ParseChannels(notify.Settings{}, slog.New(slog.NewTextHandler(broken{}, nil)))
	require.NoError(t, err)
	require.ErrorContains(t, channels[0].Send(t.Context(), notification("")), "disk is full")
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("disk is full") }

func TestMessage_WithoutMoney(t *testing.T) {
	for kind, want := range map[notify.Kind]string{
		notify.KindOpened: "Your account a was opened.", notify.KindClosed: "Your account a was closed.",
		notify.KindWithdrawn: "Money was withdrawn from your account a.", "NEW": "Something happened to your account a.",
	} {
		m := notify.Message{Kind: kind, AccountID: "a"}
		require.Equal(t, want, m.Text())
		require.Contains(t, m.Subject(), "account a")
	}
	_, err := json.Marshal(notify.Message{Amount: new(account.Money)})
	require.Error(t, err, "money without a currency has no form")
}
