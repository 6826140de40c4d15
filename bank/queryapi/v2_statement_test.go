package queryapi_test

import (
	"encoding/csv"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"passbook/bank/queryapi"
	"passbook/bank/web"
	"passbook/es/event"
)

const statementA = accountsV2 + "/a/statement"

// openStatement has an account with a life.
func openStatement(t *testing.T, changes ...func(*queryapi.Config)) *bank {
	t.Helper()
	b := open(t, changes...)
	b.apply(at(b.opening("a", "A", "50.00 EUR"), 0), at(b.deposit("a", "100.10 EUR"), 1),
		at(b.withdraw("a", "12.80 EUR", `Rent, "May"`), 2), at(b.closing("a"), 3))
	return b
}

func TestV2_Statement(t *testing.T) {
	b := openStatement(t)
	got := b.get(statementA)
	require.Equal(t, http.StatusOK, got.status)
	require.Equal(t, "application/json", got.header.Get("Content-Type"))
	require.Equal(t, "Accept", got.header.Get("Vary"))
	require.Equal(t, `{"entries":[`+
		`{"version":0,"time":"2026-11-22T06:23:01.949999Z","kind":"OPENED","amount":{"amount":"50.00","currency":"EUR"},"balance":{"amount":"50.00","currency":"EUR"}},`+
		`{"version":1,"time":"2026-11-22T06:23:01.95Z","kind":"DEPOSITED","amount":{"amount":"100.10","currency":"EUR"},"balance":{"amount":"150.10","currency":"EUR"}},`+
		`{"version":2,"time":"2026-11-22T06:23:01.950001Z","kind":"WITHDRAWN","amount":{"amount":"12.80","currency":"EUR"},"balance":{"amount":"137.30","currency":"EUR"},"reference":"Rent, \"May\""},`+
		`{"version":3,"time":"2026-11-22T06:23:01.950002Z","kind":"CLOSED","balance":{"amount":"137.30","currency":"EUR"}}]}`, got.body)
	require.Equal(t, `{"entries":[]}`, b.ask(statementA, url.Values{"from": {moment(4)}}).body)
	require.Equal(t, `{"entries":[]}`, b.ask(statementA, url.Values{"to": {moment(0)}}).body, "to is exclusive")
	within := func(bound, at string) int {
		return len(decodeBody[pageBody](t, b.ask(statementA, url.Values{bound: {at}})).Entries)
	}
	between := opened.Truncate(time.Microsecond).Add(1500).Format(time.RFC3339Nano) // nanoseconds
	require.Equal(t, []int{3, 2, 1, 2}, []int{
		within("from", moment(1)), within("from", between), within("to", moment(1)), within("to", between),
	})
}

const (
	csvHeader = "version,time,kind,reference,amount,balance,currency\r\n"
	csvLines  = "0,2026-11-22T06:23:01.949999Z,OPENED,,50.00,50.00,EUR\r\n" +
		"1,2026-11-22T06:23:01.95Z,DEPOSITED,,100.10,150.10,EUR\r\n" +
		"2,2026-11-22T06:23:01.950001Z,WITHDRAWN,\"Rent, \"\"May\"\"\",12.80,137.30,EUR\r\n" +
		"3,2026-11-22T06:23:01.950002Z,CLOSED,,,137.30,EUR\r\n"
)

func TestV2_StatementCSV(t *testing.T) {
	b := openStatement(t)
	got := b.ask(statementA, nil, "Accept", "text/csv")
	require.Equal(t, http.StatusOK, got.status)
	require.Equal(t, "text/csv; charset=utf-8; header=present", got.header.Get("Content-Type"))
	require.Equal(t, `attachment; filename="statement-a.csv"`, got.header.Get("Content-Disposition"))
	require.Equal(t, "Accept", got.header.Get("Vary"))
	require.Empty(t, got.header.Get("Link"))
	require.Equal(t, csvHeader+csvLines, got.body)
	require.Equal(t, csvHeader, b.ask(statementA, url.Values{"from": {moment(4)}}, "Accept", "text/csv").body)
	head := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodHead, statementA, nil)
	r.Header.Set("Accept", "text/csv")
	b.ServeHTTP(head, r)
	require.Equal(t, http.StatusOK, head.Code)
}

func TestV2_StatementAccept(t *testing.T) {
	b := openStatement(t)
	for accept, isCSV := range map[string]bool{
		"": false, "*/*": false, "application/json": false, "text/html": false, "text/plain": false, "text/csv;q=0": false,
		"text/html,application/xhtml+xml,*/*;q=0.8": false, "application/json, text/csv": false, "text/csv;q=x": false,
		"text/csv;q=0.5, application/json;q=0.6": false,
		"text/csv":                               true, "TEXT/CSV; charset=utf-8": true, "text/*": true, "text/csv, */*;q=0.1": true,
		"text/csv, application/json": true, "application/json;q=0.5,text/csv;q=0.6": true,
	} {
		got := b.ask(statementA, nil, "Accept", accept)
		require.Equal(t, http.StatusOK, got.status)
		require.Equal(t, isCSV, strings.HasPrefix(got.header.Get("Content-Type"), "text/csv"), accept)
	}
}

// A page of CSV leads to the next by a header.
func TestV2_StatementCSVPages(t *testing.T) {
	b := openStatement(t)
	target := statementA + "?pageSize=3&from=" + url.QueryEscape(moment(0)) + "&minVersion=1&wait=1s"
	var lines string
	for _, entries := range []int{3, 1} {
		got := b.ask(target, nil, "Accept", "text/csv")
		require.Equal(t, http.StatusOK, got.status, got.body)
		body, isWhole := strings.CutPrefix(got.body, csvHeader)
		require.True(t, isWhole)
		require.Equal(t, entries, strings.Count(body, "\r\n"))
		lines += body
		link := got.header.Get("Link")
		target, _, _ = strings.Cut(strings.TrimPrefix(link, "<"), ">")
		require.Equal(t, entries == 3, strings.HasSuffix(link, `>; rel="next"`), link)
		require.NotContains(t, link, "wait")
	}
	require.Equal(t, csvLines, lines)
}

// Without a size the whole statement comes, however long it is; one that cannot
// be sent to its end is cut.
func TestV2_StatementCSVWhole(t *testing.T) {
	const entries = 2500
	b := open(t)
	events := []event.Envelope{b.opening("a", "A", "0.00 EUR")}
	for range entries - 1 {
		events = append(events, b.deposit("a", "0.01 EUR"))
	}
	b.apply(events...)
	records, err := csv.NewReader(strings.NewReader(b.ask(statementA, nil, "Accept", "text/csv").body)).ReadAll()
	require.NoError(t, err)
	require.Len(t, records, 1+entries)
	for i, record := range records[1:] {
		require.Equal(t, strconv.Itoa(i), record[0])
	}
	require.Len(t, decodeBody[pageBody](t, b.get(statementA)).Entries, 50)
	require.Len(t, decodeBody[pageBody](t, b.get(statementA+"?pageSize=1000")).Entries, 1000)

	_, err = b.store.DB().Exec(`UPDATE account_entry SET balance = 'x' WHERE version = 1700`)
	require.NoError(t, err)
	server := httptest.NewServer(b)
	defer server.Close()
	r, err := http.NewRequest(http.MethodGet, server.URL+statementA, nil)
	require.NoError(t, err)
	r.Header.Set("Accept", "text/csv")
	answer, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	_, err = io.ReadAll(answer.Body)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	require.NoError(t, answer.Body.Close())
	requireProblem(t, b.get(statementA+"?pageSize=1000&pageToken="+tokenBehind(t, b, 999)), http.StatusInternalServerError, web.CodeInternal, "")
}

// tokenBehind is the token of the page behind an entry.
func tokenBehind(t *testing.T, b *bank, version int) string {
	t.Helper()
	got := b.get(statementA + "?pageSize=" + strconv.Itoa(version+1))
	return url.QueryEscape(decodeBody[pageBody](t, got).NextPageToken)
}

// No reference is calculated by a spreadsheet, and each can be had back.
func TestV2_StatementCSVNoFormula(t *testing.T) {
	references := []string{
		"=1+1", "+491701234", "-5", "@SUM(A1)", "＝1", "'quoted'", "'=1", "plain", "a=1", "12", "\"", ",", " =1", "ends with \\", "é",
	}
	b := open(t)
	b.apply(b.opening("a", "A", "100.00 EUR"))
	for _, reference := range references {
		b.apply(b.withdraw("a", "1.00 EUR", reference))
	}
	records, err := csv.NewReader(strings.NewReader(b.ask(statementA, nil, "Accept", "text/csv").body)).ReadAll()
	require.NoError(t, err)
	for i, reference := range references {
		got := records[i+2][3]
		require.NotContains(t, []string{"=", "+", "-", "@"}, got[:1], reference)
		require.Equal(t, reference, strings.TrimPrefix(got, "'"), "one apostrophe less gives it back")
	}
	require.Contains(t, records[len(references)-1+2], "é")
}

// A token leads on only in the walk that it came from.
func TestV2_StatementTokens(t *testing.T) {
	b := openStatement(t)
	b.apply(b.opening("b", "B", "1.00 EUR"), b.deposit("b", "1.00 EUR"), b.deposit("b", "1.00 EUR"))
	token := tokenBehind(t, b, 0)
	ask := func(path, more string) answer { return b.get(path + "?pageSize=2&pageToken=" + token + more) }
	require.Len(t, decodeBody[pageBody](t, ask(statementA, "")).Entries, 2)
	requireInvalid(t, ask(accountsV2+"/b/statement", ""), "pageToken", token)
	requireInvalid(t, ask(accountsV2, ""), "pageToken", token)
	requireInvalid(t, ask(statementA, "&from="+url.QueryEscape(moment(0))), "pageToken", token)
	requireInvalid(t, ask(statementA, "&to="+url.QueryEscape(moment(9))), "pageToken", token)
}
