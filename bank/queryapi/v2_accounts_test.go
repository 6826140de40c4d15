package queryapi_test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// A page to the byte; closed accounts are on it.
func TestV2_Accounts(t *testing.T) {
	b := open(t)
	require.Equal(t, `{"accounts":[]}`, b.get(accountsV2).body)
	b.apply(at(b.opening("b", "B", "1.00 EUR"), 0), at(b.opening("a", "A", "2 JPY"), 1), at(b.closing("a"), 2))
	got := b.get(accountsV2)
	require.Equal(t, http.StatusOK, got.status)
	require.Equal(t, "application/json", got.header.Get("Content-Type"))
	require.Equal(t, `{"accounts":[`+
		`{"id":"b","accountHolder":"B","accountType":"SAVINGS","status":"OPEN","balance":{"amount":"1.00","currency":"EUR"},`+
		`"createdAt":"2026-11-22T06:23:01.949999Z","updatedAt":"2026-11-22T06:23:01.949999Z","version":0},`+
		`{"id":"a","accountHolder":"A","accountType":"SAVINGS","status":"CLOSED","balance":{"amount":"2","currency":"JPY"},`+
		`"createdAt":"2026-11-22T06:23:01.95Z","updatedAt":"2026-11-22T06:23:01.950001Z","version":1}]}`, got.body)
}

// A bound without a currency says nothing where there are several.
func TestV2_BoundsAndCurrencies(t *testing.T) {
	b := open(t)
	require.Equal(t, http.StatusOK, b.get(accountsV2+"?minBalance=1").status, "without accounts there is none")
	b.apply(b.opening("a", "A", "1.00 EUR"), b.opening("b", "B", "2.00 EUR"))
	for parameters, want := range map[string][]string{
		"minBalance=1": {"a", "b"}, "minBalance=1.0001": {"b"}, "maxBalance=2.00": {"a", "b"}, "maxBalance=1.9999": {"a"},
		"minBalance=1&maxBalance=1": {"a"}, "minBalance=-1&maxBalance=0": {}, "minBalance=1.01&currency=EUR": {"b"},
		"minBalance=1&currency=JPY": {}, "minBalance=999999999999.9999": {},
	} {
		require.Equal(t, want, idsOf(decodeBody[pageBody](t, b.get(accountsV2+"?"+parameters)).Accounts), parameters)
	}
	b.apply(b.opening("c", "C", "1 JPY"))
	for _, parameters := range []string{"minBalance=1", "maxBalance=2.00", "minBalance=1&sort=balance&holder=A"} {
		got := b.get(accountsV2 + "?" + parameters)
		requireInvalid(t, got, "currency", "")
		require.Contains(t, got.body, "accounts have several currencies")
	}
	require.Equal(t, []string{"b"}, idsOf(decodeBody[pageBody](t, b.get(accountsV2+"?minBalance=1.01&currency=EUR")).Accounts))
	require.Equal(t, []string{"a", "c", "b"}, idsOf(decodeBody[pageBody](t, b.get(accountsV2+"?sort=balance")).Accounts))
}

// openWalk has more accounts than fit on one page, all opened at one moment but
// for the last.
func openWalk(t *testing.T, accounts int) *bank {
	t.Helper()
	b := open(t)
	b.grow(0, accounts)
	return b
}

func TestV2_PageSizes(t *testing.T) {
	b := openWalk(t, 120)
	for size, want := range map[string]int{"": 50, "1": 1, "119": 119, "120": 120, "121": 120, "1000": 120} {
		got := decodeBody[pageBody](t, b.get(accountsV2+"?pageSize="+size))
		require.Len(t, got.Accounts, want)
		require.Equal(t, want < 120, got.NextPageToken != "", size)
	}
	// The size may change on the way.
	first := decodeBody[pageBody](t, b.get(accountsV2+"?pageSize=7"))
	second := decodeBody[pageBody](t, b.get(accountsV2+"?pageSize=3&pageToken="+url.QueryEscape(first.NextPageToken)))
	require.Equal(t, []string{"00007", "00008", "00009"}, idsOf(second.Accounts))
}

// A token is good for the walk that it came from, as it was given.
func TestV2_AccountTokens(t *testing.T) {
	b := openWalk(t, 3)
	asked := url.Values{"pageSize": {"1"}, "sort": {"-balance"}, "holder": {"Holder"}}
	token := decodeBody[pageBody](t, b.ask(accountsV2, asked)).NextPageToken
	ask := func(token string, changes ...string) answer {
		parameters := url.Values{"pageSize": {"1"}, "sort": {"-balance"}, "holder": {"Holder"}, "pageToken": {token}}
		for i := 0; i < len(changes); i += 2 {
			parameters.Set(changes[i], changes[i+1])
		}
		return b.ask(accountsV2, parameters)
	}
	require.Equal(t, []string{"00001"}, idsOf(decodeBody[pageBody](t, ask(token)).Accounts))
	for _, change := range [][]string{
		{"sort", "balance"}, {"sort", "-createdAt"}, {"holder", "holder"}, {"holder", ""}, {"status", "OPEN"}, {"type", "SAVINGS"},
		{"currency", "EUR"}, {"minBalance", "0"}, {"maxBalance", "9"},
	} {
		requireInvalid(t, ask(token, change...), "pageToken", token)
	}
	raw, err := base64.RawURLEncoding.DecodeString(token)
	require.NoError(t, err)
	for i := range raw {
		altered := slices.Clone(raw)
		altered[i] ^= 1
		requireInvalid(t, ask(base64.RawURLEncoding.EncodeToString(altered)), "pageToken", token)
	}
	for _, bad := range []string{token[1:], token[:len(token)-1], token + "A", token + "=", " " + token, strings.Repeat("A", 5000)} {
		requireInvalid(t, ask(bad), "pageToken", token)
	}
}

// A walk sees every account that was there all the while exactly once, also
// while others are opened, before and behind where it is.
func TestV2_WalkWhileAccountsAreOpened(t *testing.T) {
	const there = 300
	for _, sort := range []string{"createdAt", "-createdAt", "accountHolder", "-accountHolder"} {
		t.Run(sort, func(t *testing.T) {
			b := open(t)
			open := func(id string, i int) {
				b.apply(at(b.opening(id, fmt.Sprintf("Holder %03d", i*37%100), "1.00 EUR"), int64(i*17%50)))
			}
			for i := range there {
				open(fmt.Sprintf("there-%03d", i), i)
			}
			page, goOn := make(chan struct{}), make(chan struct{})
			var opener sync.WaitGroup
			opener.Go(func() {
				n := 0
				for range page {
					for range 5 {
						n++
						open(fmt.Sprintf("later-%03d", n), n)
					}
					goOn <- struct{}{}
				}
			})
			seen := map[string]int{}
			asked := url.Values{"sort": {sort}, "pageSize": {"13"}}
			for pages := 0; ; pages++ {
				got := decodeBody[pageBody](t, b.ask(accountsV2, asked))
				for _, a := range got.Accounts {
					seen[a.ID]++
				}
				if got.NextPageToken == "" {
					require.Greater(t, pages, there/13)
					break
				}
				asked.Set("pageToken", got.NextPageToken)
				page <- struct{}{}
				<-goOn
			}
			close(page)
			opener.Wait()
			for i := range there {
				require.Equal(t, 1, seen[fmt.Sprintf("there-%03d", i)], i)
			}
			for id, times := range seen {
				require.Equal(t, 1, times, id)
			}
		})
	}
}
