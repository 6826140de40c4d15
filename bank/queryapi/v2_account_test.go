package queryapi_test

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"passbook/bank/queryapi"
	"passbook/bank/web"
)

// An account to the byte, open and closed.
func TestV2_Account(t *testing.T) {
	b := open(t)
	b.apply(at(b.opening("a", "Zoë <&> \"Söhne\"", "50.00 EUR"), 0), at(b.deposit("a", "100.10 EUR"), 1))
	const open = `{"id":"a","accountHolder":"Zoë <&> \"Söhne\"","accountType":"SAVINGS","status":"OPEN",` +
		`"balance":{"amount":"150.10","currency":"EUR"},"createdAt":"2026-11-22T06:23:01.949999Z",` +
		`"updatedAt":"2026-11-22T06:23:01.95Z","version":1}`
	got := b.get(accountsV2 + "/a")
	require.Equal(t, http.StatusOK, got.status)
	require.Equal(t, open, got.body)
	require.Equal(t, `"1"`, got.header.Get("ETag"))
	require.Equal(t, "application/json", got.header.Get("Content-Type"))
	require.Equal(t, open, b.get(accountsV2+"/a/").body)

	b.apply(at(b.closing("a"), 2))
	got = b.get(accountsV2 + "/a")
	require.Contains(t, got.body, `"status":"CLOSED"`)
	require.Contains(t, got.body, `"version":2}`)
	require.Equal(t, open, b.get(accountsV2+"/a?atVersion=1").body, "what has been stays")
	require.Equal(t, `"1"`, b.get(accountsV2+"/a?atVersion=1").header.Get("ETag"))
	require.Equal(t, open, b.get(accountsV2+"/a?at="+url.QueryEscape(moment(1))).body)
}

func TestV2_AccountNotFound(t *testing.T) {
	b := open(t)
	b.apply(b.opening("a", "A", "1.00 EUR"))
	for _, id := range []string{"b", "A", "a%20", "%00", "..%2Fa", "ä"} {
		for _, path := range []string{"", "?atVersion=0", "?at=2026-11-22T07:00:00Z", "/statement", "/statement?from=2026-11-22T07:00:00Z"} {
			requireProblem(t, b.get(accountsV2+"/"+id+path), http.StatusNotFound, web.CodeAccountNotFound, "")
		}
	}
	requireProblem(t, b.get(accountsV2+"/b/statement", http.MethodGet), http.StatusNotFound, web.CodeAccountNotFound, "")
	requireProblem(t, b.ask(accountsV2+"/b/statement", nil, "Accept", "text/csv"), http.StatusNotFound, web.CodeAccountNotFound, "")
	requireProblem(t, b.get(accountsV2+"/a?at=2026-11-22T06:23:01.949998Z"), http.StatusNotFound, web.CodeAccountNotFound, "")
}

func TestV2_IfNoneMatch(t *testing.T) {
	b := open(t)
	b.apply(b.opening("a", "A", "1.00 EUR"), b.deposit("a", "1.00 EUR"))
	for list, want := range map[string]int{
		`"1"`: 304, `W/"1"`: 304, `"7", "1"`: 304, `"7",W/"1"`: 304, `*`: 304,
		`"0"`: 200, `1`: 200, `"11"`: 200, `""`: 200, `"1`: 200, `w/"1"`: 200,
	} {
		got := b.ask(accountsV2+"/a", nil, "If-None-Match", list)
		require.Equal(t, want, got.status, list)
		require.Equal(t, `"1"`, got.header.Get("ETag"), list)
		if want == http.StatusNotModified {
			require.Empty(t, got.body)
			require.Empty(t, got.header.Get("Content-Type"))
		}
	}
	require.Equal(t, http.StatusNotModified, b.ask(accountsV2+"/a?atVersion=0", nil, "If-None-Match", `"0"`).status)
	requireProblem(t, b.ask(accountsV2+"/b", nil, "If-None-Match", `*`), http.StatusNotFound, web.CodeAccountNotFound, "")
}

// A version above the account's may be on its way.
func TestV2_AtVersionAbove(t *testing.T) {
	b := open(t)
	b.apply(b.opening("a", "A", "1.00 EUR"))
	requireNotYet(t, b.get(accountsV2+"/a?atVersion=1"), 0)
	requireNotYet(t, b.get(accountsV2+"/a?atVersion=9223372036854775807"), 0)
}

// What is not over cannot be told.
func TestV2_AtFuture(t *testing.T) {
	now := opened.Add(time.Hour)
	b := open(t, func(c *queryapi.Config) { c.Now = func() time.Time { return now } })
	b.apply(b.opening("a", "A", "1.00 EUR"))
	ask := func(at time.Time) answer {
		return b.ask(accountsV2+"/a", url.Values{"at": {at.Format(time.RFC3339Nano)}})
	}
	require.Equal(t, http.StatusOK, ask(now).status)
	require.Equal(t, http.StatusOK, ask(now.In(time.FixedZone("", 3600))).status)
	got := ask(now.Add(time.Nanosecond))
	requireInvalid(t, got, "at", "2026")
	require.Contains(t, got.body, "must not be in the future")
}

// Where an event was discarded the versions go on without it.
func TestV2_PastBehindDiscarded(t *testing.T) {
	b := open(t)
	b.apply(at(b.opening("a", "A", "1.00 EUR"), 0))
	b.versions["a"]++ // discarded
	b.apply(at(b.deposit("a", "2.00 EUR"), 5), at(b.deposit("a", "4.00 EUR"), 9))
	for version, want := range map[string]string{"0": `"version":0}`, "1": `"version":0}`, "2": `"version":2}`, "3": `"version":3}`} {
		require.Contains(t, b.get(accountsV2+"/a?atVersion="+version).body, want, version)
	}
	for micros, want := range map[int64]string{0: `"version":0}`, 4: `"version":0}`, 5: `"version":2}`, 8: `"version":2}`, 9: `"version":3}`} {
		require.Contains(t, b.ask(accountsV2+"/a", url.Values{"at": {moment(micros)}}).body, want, micros)
	}
	entries := decodeBody[pageBody](t, b.ask(accountsV2+"/a/statement", url.Values{"from": {moment(1)}})).Entries
	require.Len(t, entries, 2)
	require.EqualValues(t, 2, entries[0].Version)
}
