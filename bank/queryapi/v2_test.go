package queryapi_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"passbook/bank/web"
	"passbook/contract/account"
	"passbook/es/event"
)

const accountsV2 = "/api/v2/accounts"

// The bodies of version 2, as a client has them.
type (
	moneyBody struct {
		Amount   string `json:"amount"`
		Currency string `json:"currency"`
	}
	accountBody struct {
		ID            string    `json:"id"`
		AccountHolder string    `json:"accountHolder"`
		AccountType   string    `json:"accountType"`
		Status        string    `json:"status"`
		Balance       moneyBody `json:"balance"`
		CreatedAt     string    `json:"createdAt"`
		UpdatedAt     string    `json:"updatedAt"`
		Version       int64     `json:"version"`
	}
	entryBody struct {
		Version   int64      `json:"version"`
		Time      string     `json:"time"`
		Kind      string     `json:"kind"`
		Amount    *moneyBody `json:"amount"`
		Balance   moneyBody  `json:"balance"`
		Reference string     `json:"reference"`
	}
	pageBody struct {
		Accounts      []accountBody `json:"accounts"`
		Entries       []entryBody   `json:"entries"`
		NextPageToken string        `json:"nextPageToken"`
	}
)

// ask sends a GET with headers, given as name and value in turn.
func (b *bank) ask(path string, parameters url.Values, headers ...string) answer {
	target := path
	if len(parameters) > 0 {
		target += "?" + parameters.Encode()
	}
	return b.askWith(b.t.Context(), target, headers...)
}

func decodeBody[T any](t require.TestingT, got answer) (body T) {
	require.Equal(t, http.StatusOK, got.status, got.body)
	require.NoError(t, json.Unmarshal([]byte(got.body), &body))
	return body
}

// walk goes from page to page to the last one.
func (b *bank) walk(t require.TestingT, path string, parameters url.Values) (all pageBody) {
	asked := url.Values{}
	maps.Copy(asked, parameters)
	for range 10_000 {
		page := decodeBody[pageBody](t, b.ask(path, asked))
		all.Accounts = append(all.Accounts, page.Accounts...)
		all.Entries = append(all.Entries, page.Entries...)
		if page.NextPageToken == "" {
			return all
		}
		asked.Set("pageToken", page.NextPageToken)
	}
	require.Fail(t, "a walk without end")
	return all
}

func idsOf(accounts []accountBody) []string {
	all := make([]string, len(accounts))
	for i, a := range accounts {
		all[i] = a.ID
	}
	return all
}

// at is an event at some microseconds after the first moment.
func at(e event.Envelope, micros int64) event.Envelope {
	e.Time = opened.Add(time.Duration(micros) * time.Microsecond)
	return e
}

func moment(micros int64) string {
	return opened.Add(time.Duration(micros) * time.Microsecond).Format(time.RFC3339Nano)
}

// withdraw is a withdrawal with a reference.
func (b *bank) withdraw(id, amount, reference string) event.Envelope {
	rest, err := b.balances[id].Sub(b.money(amount))
	require.NoError(b.t, err)
	b.balances[id] = rest
	return b.event(id, account.WithdrawnName, account.Withdrawn{Amount: b.money(amount), Balance: rest, Reference: reference})
}

// requireInvalid checks that an answer is invalid-request for one parameter, in
// one line that does not repeat its value.
func requireInvalid(t *testing.T, got answer, field, value string) {
	t.Helper()
	p := requireProblem(t, got, http.StatusBadRequest, web.CodeInvalidRequest, "")
	require.Len(t, p.Errors, 1, got.body)
	require.Equal(t, field, p.Errors[0].Field, got.body)
	require.NotContains(t, p.Detail, "\n")
	if len(value) > 2 {
		require.NotContains(t, got.body, value)
	}
}

// Faults of parameters, each on the routes that have it.
func TestV2_RefusedParameters(t *testing.T) {
	b := open(t)
	b.apply(b.opening("a", "A", "1.00 EUR"))
	list, one, statement := accountsV2, accountsV2+"/a", accountsV2+"/a/statement"
	everywhere := []string{list, one, statement}
	for _, c := range []struct {
		paths      []string
		field      string
		values     []string
		parameters string // of the others
	}{
		{everywhere, "unknown", []string{"", "xyz"}, ""},
		{everywhere, "Wait", []string{"2s"}, ""},
		{everywhere, "wait", []string{"xyz", "2", "-1ns", "30.001s", "1h", "1e3s", "2s "}, "minPosition=0"},
		{everywhere, "wait", []string{"2s", "0s"}, ""},
		{everywhere, "minPosition", []string{"-1", "1.5", "xyz", "9223372036854775808", "0x10"}, ""},
		{everywhere, "minPosition", []string{"1&minPosition=1"}, ""},
		{[]string{one, statement}, "minVersion", []string{"-1", "1.5", "xyz", "9223372036854775808"}, ""},
		{[]string{list}, "minVersion", []string{"1"}, ""},
		{[]string{one}, "atVersion", []string{"-1", "1.5", "xyz"}, ""},
		{[]string{one}, "at", []string{"xyz", "2026-11-22", "2026-11-22T06:23:01", "1795328581949", "9998-01-01T00:00:00Z"}, ""},
		{[]string{one}, "at", []string{"2026-11-22T06:23:01Z"}, "atVersion=0"},
		{[]string{one}, "pageSize", []string{"1"}, ""},
		{[]string{list, statement}, "pageSize", []string{"0", "-1", "1001", "xyz", "1.5", "99999999999999999999"}, ""},
		{[]string{list, statement}, "pageToken", []string{"xyz", "a", "====", "AQ", "\x00\x01"}, ""},
		{[]string{list}, "type", []string{"xyz", "savings", "0"}, ""},
		{[]string{list}, "status", []string{"xyz", "open"}, ""},
		{[]string{list}, "sort", []string{"xyz", "id", "--balance", "CREATEDAT", "balance,createdAt"}, ""},
		{[]string{list}, "minBalance", []string{"xyz", "1e3", "+1", "1,5", ".5", "5.", "01", "0.00001", "7000000000000", "NaN"}, ""},
		{[]string{list}, "maxBalance", []string{"xyz", "--1"}, ""},
		{[]string{list}, "minBalance", []string{"1.005"}, "currency=EUR"},
		{[]string{list}, "minBalance", []string{"7.01"}, "maxBalance=7"},
		{[]string{statement}, "from", []string{"xyz", "2026-11-22", "9999-12-31T23:59:59-01:00", "0000-01-01T00:00:00Z"}, ""},
		{[]string{statement}, "to", []string{"xyz", "2026-11-22 06:23:01"}, ""},
		{[]string{statement}, "from", []string{"2026-11-22T06:23:01.000000001Z"}, "to=2026-11-22T06:23:01Z"},
		{[]string{statement}, "at", []string{"2026-11-22T06:23:01Z"}, ""},
	} {
		for _, path := range c.paths {
			for _, value := range c.values {
				query := c.field + "=" + url.PathEscape(value)
				if c.field == "minPosition" {
					query = c.field + "=" + value
				}
				t.Run(path+"?"+query, func(t *testing.T) {
					requireInvalid(t, b.get(path+"?"+query+"&"+c.parameters), c.field, value)
				})
			}
		}
	}
	p := requireProblem(t, b.get(list+"?%3Cscript%3E=1"), http.StatusBadRequest, web.CodeInvalidRequest, "")
	require.Equal(t, "unknown query parameter", p.Detail, "its name is not repeated")
	requireProblem(t, b.get(list+"?currency=EURO"), http.StatusBadRequest, web.CodeCurrencyUnknown, "")
	requireProblem(t, b.get(list+"?currency=eur"), http.StatusBadRequest, web.CodeCurrencyUnknown, "")
	p = requireProblem(t, b.get(list+"?minBalance=x&maxBalance=y"), http.StatusBadRequest, web.CodeInvalidRequest, "")
	require.Len(t, p.Errors, 2)
}

// What is empty is not given, as in a form that was sent as it is.
func TestV2_EmptyParameters(t *testing.T) {
	b := open(t)
	b.apply(b.opening("a", "A", "1.00 EUR"))
	got := decodeBody[pageBody](t, b.get(accountsV2+
		"?holder=&type=&status=&currency=&minBalance=&maxBalance=&sort=&pageSize=&pageToken=&minPosition=&wait="))
	require.Equal(t, []string{"a"}, idsOf(got.Accounts))
}
