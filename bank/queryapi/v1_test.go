package queryapi_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"passbook/contract/account"
)

const (
	lookup = "/api/v1/bankAccountLookup"
	johnID = "97ebd5d8-9c2f-4dda-b59a-a1c62c20a6a8"
	zoeID  = "feb9025c-b600-4417-89bd-b1dbb4441080"

	john = `{"id":"97ebd5d8-9c2f-4dda-b59a-a1c62c20a6a8","accountHolder":"John Doe",` +
		`"creationDate":"2026-11-22T06:23:01.949+00:00","accountType":"SAVINGS","balance":50.0}`
	zoe = `{"id":"feb9025c-b600-4417-89bd-b1dbb4441080","accountHolder":"Zoë <& \"Söhne\">/Co",` +
		`"creationDate":"2026-11-22T06:23:01.949+00:00","accountType":"CURRENT","balance":10000000.0}`
	zoeHolder = `Zoë <& "Söhne">/Co`
)

func body(message string, accounts ...string) string {
	return `{"message":"` + message + `","bankAccounts":[` + strings.Join(accounts, ",") + `]}`
}

// openTwo has the accounts of the wire contract.
func openTwo(t *testing.T) *bank {
	t.Helper()
	b := open(t)
	b.apply(b.opening(johnID, "John Doe", "50.00 EUR"), b.event(zoeID, account.OpenedName, account.Opened{
		AccountHolder: zoeHolder, AccountType: account.Current, OpeningBalance: b.money("10000000.00 EUR"),
	}))
	return b
}

// Every row of the wire contract, to the byte.
func TestV1_Answers(t *testing.T) {
	b := openTwo(t)
	const one = "Successfully returned bank account"
	two := body("Successfully returned 2 bank account(s)", john, zoe)
	onlyJohn := body("Successfully returned 1 bank account(s)", john)
	onlyZoe := body("Successfully returned 1 bank account(s)", zoe)
	for target, want := range map[string]string{
		lookup:                                            two,
		lookup + "/":                                      two,
		lookup + "/byId/" + johnID:                        body(one, john),
		lookup + "/byId/" + johnID + "/":                  body(one, john),
		lookup + "/byHolder/John%20Doe":                   body(one, john),
		lookup + "/byHolder/John%20Doe/":                  body(one, john),
		lookup + "/byHolder/John+Doe":                     "",
		lookup + "/byHolder/john%20doe":                   "",
		lookup + "/byId/" + johnID[1:]:                    "",
		lookup + "/withBalance/GREATER_THAN/":             "404",
		lookup + "/byHolder/" + url.PathEscape(zoeHolder): body(one, zoe),

		lookup + "/withBalance/GREATER_THAN/49.99":    two,
		lookup + "/withBalance/GREATER_THAN/50":       onlyZoe,
		lookup + "/withBalance/GREATER_THAN/50.0":     onlyZoe,
		lookup + "/withBalance/GREATER_THAN/49.99999": two,
		lookup + "/withBalance/GREATER_THAN/1.0E7":    "",
		lookup + "/withBalance/LESS_THEN/1.0E7":       onlyJohn,
		lookup + "/withBalance/LESS_THEN/50.0/":       "",
		lookup + "/withBalance/LESS_THAN/50.001":      onlyJohn,
		lookup + "/withBalance/LESS_THAN/1e300":       two,
		lookup + "/withBalance/LESS_THAN/-1e300":      "",
		lookup + "/withBalance/GREATER_THAN/-5":       two,
		lookup + "/withBalance/GREATER_THAN/+.5":      two,
		lookup + "/withBalance/GREATER_THAN/0050.":    onlyZoe,
	} {
		got := b.get(target)
		switch want {
		case "":
			require.Equal(t, http.StatusNoContent, got.status, target)
			require.Empty(t, got.body, target)
			require.Empty(t, got.header["Content-Type"], target)
		case "404":
			require.Equal(t, http.StatusNotFound, got.status, target)
		default:
			require.Equal(t, http.StatusOK, got.status, target)
			require.Equal(t, want, got.body, target)
			require.Equal(t, "application/json", got.header.Get("Content-Type"), target)
		}
		head := b.get(target, http.MethodHead)
		require.Equal(t, got.status, head.status, target)
	}
}

func TestV1_EmptyReadModel(t *testing.T) {
	b := open(t)
	for _, path := range []string{"", "/", "/byId/x", "/byHolder/x", "/withBalance/GREATER_THAN/0", "/withBalance/LESS_THEN/0"} {
		got := b.get(lookup + path)
		require.Equal(t, http.StatusNoContent, got.status, path)
		require.Empty(t, got.body, path)
	}
}

// Two accounts of one holder are an answer, not a failure.
func TestV1_TwoAccountsOfOneHolder(t *testing.T) {
	b := openTwo(t)
	b.apply(b.opening("a-second", "John Doe", "0.07 EUR"))
	second := strings.Replace(strings.Replace(john, johnID, "a-second", 1), "50.0", "0.07", 1)
	got := b.get(lookup + "/byHolder/John%20Doe")
	require.Equal(t, http.StatusOK, got.status)
	require.Equal(t, body("Successfully returned bank account", john, second), got.body)
}

// A closed account is not found, by any of the questions.
func TestV1_ClosedAccount(t *testing.T) {
	b := openTwo(t)
	b.apply(b.closing(johnID))
	for path, want := range map[string]string{
		"":                             body("Successfully returned 1 bank account(s)", zoe),
		"/byId/" + johnID:              "",
		"/byHolder/John%20Doe":         "",
		"/withBalance/LESS_THAN/100":   "",
		"/withBalance/GREATER_THAN/49": body("Successfully returned 1 bank account(s)", zoe),
	} {
		require.Equal(t, want, b.get(lookup+path).body, path)
	}
}

// Dates have milliseconds, no more and no fewer.
func TestV1_CreationDate(t *testing.T) {
	b := open(t)
	for want, at := range map[string]time.Time{
		"2026-11-22T06:23:01.949+00:00": time.Date(2026, 11, 22, 6, 23, 1, 949_999_000, time.UTC),
		"2026-11-22T06:23:01.900+00:00": time.Date(2026, 11, 22, 6, 23, 1, 900_000_000, time.UTC),
		"2026-01-02T00:00:00.000+00:00": time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC),
		"2025-12-31T23:30:00.001+00:00": time.Date(2026, 1, 1, 1, 30, 0, 1_000_000, time.FixedZone("", 2*60*60)),
	} {
		id := strings.ReplaceAll(want[:23], ":", ".")
		e := b.opening(id, "Holder", "1.00 EUR")
		e.Time = at
		b.apply(e)
		require.Contains(t, b.get(lookup+"/byId/"+id).body, `,"creationDate":"`+want+`",`)
	}
}

// A deposit shows, exactly: no amount passes through floating point.
func TestV1_Balances(t *testing.T) {
	for want, movements := range map[string][]string{
		"0.3":             {"0.10 EUR", "0.20 EUR"},
		"137.3":           {"0.00 EUR", "137.29 EUR", "0.01 EUR"},
		"999999999999.99": {"999999999999.98 EUR", "0.01 EUR"},
		"10000000.0":      {"9999999.99 EUR", "0.01 EUR"},
		"0.001":           {"0.000 KWD", "0.001 KWD"},
		"0.0001":          {"0.0000 CLF", "0.0001 CLF"},
		"999999999999.0":  {"999999999998 JPY", "1 JPY"},
		"0.0":             {"0 JPY"},
	} {
		b := open(t)
		b.apply(b.opening("a", "A", movements[0]))
		for _, amount := range movements[1:] {
			b.apply(b.deposit("a", amount))
		}
		require.Contains(t, b.get(lookup+"/byId/a").body, `,"balance":`+want+`}]}`)
	}
}

// Counts are grouped from 1000 on, and are those of the accounts in the list.
func TestV1_CountOfManyAccounts(t *testing.T) {
	b := open(t)
	before := 0
	grow := func(accounts int, grouped string) {
		b.grow(before, accounts)
		before = accounts
		for _, path := range []string{"", "/withBalance/GREATER_THAN/-1"} {
			got := b.get(lookup + path)
			require.Equal(t, http.StatusOK, got.status)
			message := `{"message":"Successfully returned ` + grouped + ` bank account(s)","bankAccounts":[{"id":"00000",`
			require.True(t, strings.HasPrefix(got.body, message), "%.100s", got.body)
			requireIDs(t, got.body, accounts)
		}
		got := b.get(lookup + "/byHolder/Holder")
		require.True(t, strings.HasPrefix(got.body, `{"message":"Successfully returned bank account",`), "%.100s", got.body)
		requireIDs(t, got.body, accounts)
	}
	grow(999, "999")
	grow(1000, "1,000")
	grow(1636, "1,636")
	grow(2000, "2,000")
}

// requireIDs checks that an answer has each account once, in order.
func requireIDs(t *testing.T, body string, accounts int) {
	t.Helper()
	var got struct {
		BankAccounts []struct {
			ID string `json:"id"`
		} `json:"bankAccounts"`
	}
	require.NoError(t, json.Unmarshal([]byte(body), &got))
	require.Len(t, got.BankAccounts, accounts)
	for i, a := range got.BankAccounts {
		require.Equal(t, fmt.Sprintf("%05d", i), a.ID)
	}
}

// Holders of every kind are found under their own name, encoded as a path.
func TestV1_HolderInPath(t *testing.T) {
	holders := []string{
		"O'Brien", "a/b", "a//b", "a/", "//", "100%", "a%2Fb", "名前 太郎", "Zoe\u0308", "..", ".", "a?b#c", "+1 555",
		`back\slash`, "a;b=c", " ",
	}
	b := open(t)
	for i, holder := range holders {
		b.apply(b.opening(strconv.Itoa(i), holder, "1.00 EUR"))
	}
	for i, holder := range holders {
		escaped := strings.ReplaceAll(url.PathEscape(holder), ".", "%2E")
		got := b.get(lookup + "/byHolder/" + escaped)
		require.Equal(t, http.StatusOK, got.status, "%q: %s", holder, got.body)
		require.Contains(t, got.body, fmt.Sprintf(`[{"id":"%d",`, i), holder)
		require.Equal(t, 1, strings.Count(got.body, `"id"`))
	}
}
