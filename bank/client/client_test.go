package client_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"passbook/bank/client"
	"passbook/contract/account"
)

const someAccount = `{"id":"a1","accountHolder":"Ann","accountType":"SAVINGS","status":"OPEN","balance":{"amount":"12.50","currency":"EUR"},` +
	`"createdAt":"2026-01-02T03:04:05.000006Z","updatedAt":"2026-01-02T03:04:06Z","version":3}`

// The key is for the configured service alone: a redirect must not carry it, or
// the command, to another.
func TestRedirectsAreRefused(t *testing.T) {
	t.Parallel()
	for _, status := range []int{http.StatusMovedPermanently, http.StatusFound, http.StatusTemporaryRedirect, http.StatusPermanentRedirect} {
		other := play(t, reply(http.StatusCreated, receipt))
		s := play(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, other.URL+r.URL.Path, status) })
		c, err := client.New(client.Config{CommandURL: s.URL, QueryURL: s.URL, APIKey: "secret-key"})
		require.NoError(t, err)
		defer c.Close()

		_, err = c.CloseAccount(t.Context(), "a1", "", client.CommandOptions{})
		require.ErrorContains(t, err, fmt.Sprintf("redirect (%d)", status))
		require.NotErrorAs(t, err, new(*client.UnknownError))
		require.NotContains(t, err.Error(), "secret-key")
		_, err = c.Account(t.Context(), "a1", client.AccountQuery{})
		require.ErrorContains(t, err, "redirect")
		require.Empty(t, other.seen())
		require.Len(t, s.seen(), 2)
		require.Equal(t, "Bearer secret-key", s.seen()[0].Header.Get("Authorization"))
	}
}

func TestCommands_OnTheWire(t *testing.T) {
	t.Parallel()
	s := play(t, reply(http.StatusCreated, receipt))
	c := dial(t, s.URL+"/behind/a/proxy/", plenty)
	version := int64(3)
	eur, err := account.ParseMoney("12.50", "EUR")
	require.NoError(t, err)
	options := client.CommandOptions{Key: "k", IfVersion: &version}

	_, err = c.OpenAccount(t.Context(), client.NewAccount{AccountHolder: "Ann", AccountType: account.Savings}, client.CommandOptions{})
	require.NoError(t, err)
	_, err = c.OpenAccount(t.Context(), client.NewAccount{
		AccountHolder: "Ann", AccountType: account.Current, OpeningBalance: eur, Currency: "EUR", Phone: "1", Email: "e", AccountID: "a1",
	}, options)
	require.NoError(t, err)
	_, err = c.Deposit(t.Context(), "a1", client.Movement{Amount: eur, Reference: "pay"}, options)
	require.NoError(t, err)
	_, err = c.Withdraw(t.Context(), "a?/1", client.Movement{Amount: eur}, options)
	require.NoError(t, err)
	_, err = c.CloseAccount(t.Context(), "a1", "moved", options)
	require.NoError(t, err)

	want := []struct{ path, body string }{
		{"/accounts", `{"accountHolder":"Ann","accountType":"SAVINGS"}`},
		{"/accounts", `{"accountHolder":"Ann","accountType":"CURRENT","openingBalance":{"amount":"12.50","currency":"EUR"},"currency":"EUR",` +
			`"phone":"1","email":"e","accountId":"a1"}`},
		{"/accounts/a1/deposits", `{"amount":{"amount":"12.50","currency":"EUR"},"reference":"pay"}`},
		{"/accounts/a%3F%2F1/withdrawals", `{"amount":{"amount":"12.50","currency":"EUR"}}`},
		{"/accounts/a1/closure", `{"reason":"moved"}`},
	}
	for i, r := range s.seen() {
		require.Equal(t, "/behind/a/proxy/api/v2"+want[i].path, r.URL.EscapedPath())
		require.JSONEq(t, want[i].body, s.bodies[i])
		require.Equal(t, http.MethodPost, r.Method)
		require.Equal(t, "application/json", r.Header.Get("Content-Type"))
		if i > 0 {
			require.Equal(t, "k", r.Header.Get("Idempotency-Key"))
			require.Equal(t, `"3"`, r.Header.Get("If-Match"))
		}
	}
}

func TestQueries_OnTheWire(t *testing.T) {
	t.Parallel()
	s := play(t, reply(http.StatusOK, someAccount))
	c := dial(t, s.URL, plenty)
	three, noon := int64(3), time.Date(2026, 1, 2, 12, 0, 0, 0, time.FixedZone("", 3600))
	found, err := c.Account(t.Context(), "a1", client.AccountQuery{Await: client.Await{MinVersion: &three, Wait: 2 * time.Second}})
	require.NoError(t, err)
	again, err := json.Marshal(found)
	require.NoError(t, err)
	require.Equal(t, someAccount, string(again), "what was read is written again as the service writes it")

	_, err = c.Account(t.Context(), "a1", client.AccountQuery{AtVersion: &three})
	require.NoError(t, err)
	_, err = c.Account(t.Context(), "a1", client.AccountQuery{At: noon})
	require.NoError(t, err)
	_, err = c.Accounts(t.Context(), client.AccountsFilter{
		Holder: "Ann & Bob", Type: account.Current, Status: account.StatusOpen, Currency: "EUR", MinBalance: "1", MaxBalance: "2",
		Sort: "-balance", Page: client.Page{Size: 7, Token: "t"},
	})
	require.NoError(t, err)
	_, err = c.Statement(t.Context(), "a1", client.StatementQuery{From: noon, To: noon.Add(time.Nanosecond)})
	require.NoError(t, err)
	_, err = c.Notifications(t.Context(), client.NotificationsFilter{AccountID: "a1", State: "sent"})
	require.NoError(t, err)

	want := []string{
		"/api/v2/accounts/a1?minVersion=3&wait=2s",
		"/api/v2/accounts/a1?atVersion=3",
		"/api/v2/accounts/a1?at=2026-01-02T11%3A00%3A00Z",
		"/api/v2/accounts?currency=EUR&holder=Ann+%26+Bob&maxBalance=2&minBalance=1&pageSize=7&pageToken=t&sort=-balance&status=OPEN&type=CURRENT",
		"/api/v2/accounts/a1/statement?from=2026-01-02T11%3A00%3A00Z&to=2026-01-02T11%3A00%3A00.000000001Z",
		"/api/v2/notifications?accountId=a1&state=sent",
	}
	for i, r := range s.seen() {
		require.Equal(t, want[i], r.URL.RequestURI())
		require.Equal(t, http.MethodGet, r.Method)
	}
}

func TestAnswersThatCannotBeRead(t *testing.T) {
	t.Parallel()
	for name, act := range map[string]http.HandlerFunc{
		"NotJSON":    reply(http.StatusOK, "hello"),
		"WrongType":  reply(http.StatusOK, `{"version":"three"}`),
		"NotMoney":   reply(http.StatusOK, `{"balance":{"amount":"1e3","currency":"EUR"}}`),
		"NotUTF8":    reply(http.StatusOK, "{\"id\":\"\xff\"}"),
		"Empty":      reply(http.StatusOK, ""),
		"Giant":      giant,
		"TwoAnswers": reply(http.StatusOK, someAccount+someAccount),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := play(t, act)
			_, err := dial(t, s.URL, plenty).Account(t.Context(), "a1", client.AccountQuery{})
			var answer *client.Error
			require.ErrorAs(t, err, &answer)
			require.False(t, answer.Refused())
			require.Len(t, s.seen(), 1, "it is not asked again")
			if name == "Giant" {
				require.ErrorContains(t, err, "more than 16 MiB")
			}
		})
	}
}

// A refusal of any size and shape is still a refusal.
func TestProblemsThatCannotBeRead(t *testing.T) {
	t.Parallel()
	huge := reply(http.StatusConflict, `{"code":"account-exists","detail":"`+strings.Repeat(" ", 1<<20)+`"}`)
	for _, act := range []http.HandlerFunc{huge, reply(http.StatusConflict, "{"), reply(http.StatusConflict, `{"code":7}`)} {
		_, err := deposit(t, play(t, act).URL, plenty)
		var refusal *client.Error
		require.ErrorAs(t, err, &refusal)
		require.True(t, refusal.Refused())
		require.ErrorContains(t, err, "409 Conflict")
	}
}

func TestErrorsForPeople(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"code":"c","title":"T","detail":"D"}`: "D (c)",
		`{"code":"c","title":"T"}`:              "T (c)",
		`{"code":"c"}`:                          "the service answered 409 Conflict (c)",
		`{"code":"c","detail":"a is wrong","errors":[{"field":"a","detail":"is wrong"}]}`:                            "a is wrong (c)",
		`{"code":"c","detail":"D","errors":[{"field":"a","detail":"is wrong"},{"field":"b","detail":"is missing"}]}`: "D; a: is wrong; b: is missing (c)",
	} {
		_, err := deposit(t, play(t, reply(http.StatusConflict, body)).URL, plenty)
		require.EqualError(t, err, want)
	}
}

func TestWalk(t *testing.T) {
	t.Parallel()
	page := func(ids []string, next string) http.HandlerFunc {
		var found client.AccountsPage
		for _, id := range ids {
			found.Accounts = append(found.Accounts, client.Account{ID: id, Balance: account.Largest(mustCurrency(t))})
		}
		found.NextPageToken = next
		body, err := json.Marshal(found)
		require.NoError(t, err)
		return reply(http.StatusOK, string(body))
	}
	collect := func(s *script) (ids []string, err error) {
		for found, err := range dial(t, s.URL, plenty).AllAccounts(t.Context(), client.AccountsFilter{Holder: "Ann"}) {
			if err != nil {
				return ids, err
			}
			ids = append(ids, found.ID)
		}
		return ids, nil
	}
	s := play(t, page([]string{"a", "b"}, "t1"), page(nil, "t2"), page([]string{"c"}, ""))
	ids, err := collect(s)
	require.NoError(t, err)
	require.Equal(t, []string{"a", "b", "c"}, ids)
	require.Equal(t, "/api/v2/accounts?holder=Ann&pageToken=t2", s.seen()[2].URL.RequestURI())

	ids, err = collect(play(t, page([]string{"a"}, "t1"), reply(http.StatusBadRequest, `{"code":"invalid-request"}`)))
	require.Equal(t, "invalid-request", client.CodeOf(err))
	require.Equal(t, []string{"a"}, ids)

	_, err = collect(play(t, page([]string{"a"}, "t1")))
	require.ErrorContains(t, err, "would not end")
}

func mustCurrency(t *testing.T) account.Currency {
	t.Helper()
	c, err := account.ParseCurrency("EUR")
	require.NoError(t, err)
	return c
}

func TestNew_Faults(t *testing.T) {
	t.Parallel()
	_, err := client.New(client.Config{})
	require.ErrorContains(t, err, "names no service")
	_, err = client.New(client.Config{
		CommandURL: "127.0.0.1:5000", QueryURL: "http://ann:hunter2@host", NotifyURL: "http://host?x", APIKey: "two\nlines", Timeout: -1,
	})
	for _, fault := range []string{"CommandURL", "QueryURL", "NotifyURL", "APIKey", "Timeout"} {
		require.ErrorContains(t, err, "Config."+fault)
	}
	require.NotContains(t, err.Error(), "hunter2")
	require.NotContains(t, err.Error(), "two")

	c, err := client.New(client.Config{QueryURL: "http://127.0.0.1:1"})
	require.NoError(t, err)
	_, err = c.CloseAccount(t.Context(), "a1", "", client.CommandOptions{})
	require.ErrorContains(t, err, "CommandURL is not set")
	for _, id := range []string{"", ".", ".."} {
		_, err = c.Account(t.Context(), id, client.AccountQuery{})
		require.ErrorContains(t, err, "no name that can be asked for")
	}
}
