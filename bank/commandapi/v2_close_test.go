package commandapi_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"passbook/bank/web"
)

func TestV2_CloseAccount(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"NoBody": "", "EmptyObject": "{}", "NullReason": `{"reason":null}`, "Reason": `{"reason":"moved away"}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := open(t)
			b.v2Open("a", "0").created(t, "a", 0, 1, "0.00")
			b.send("POST", v2Accounts+"/a/closure", body).created(t, "a", 1, 2, "")
			b.v2Close("a").refused(t, 422, web.CodeAccountClosed, "Bank account has already been closed!")
			b.v2Deposit("a", "1").refused(t, 422, web.CodeAccountClosed, "Funds cannot be deposited into a closed bank account!")
			want := `{}`
			if name == "Reason" {
				want = body
			}
			require.JSONEq(t, want, string(b.events(t)[1].Data))
		})
	}
}

func TestV2_CloseAccount_Refused(t *testing.T) {
	t.Parallel()
	row := func(name, account, body string, status int, want string) request {
		return request{
			name: name, method: "POST", path: v2Accounts + "/" + account + "/closure", body: body, status: status, want: want,
		}
	}
	bad := func(name, body, problem string) request {
		return row(name, "{id}", body, 400, v2Problem(web.CodeInvalidRequest, 400, "reason "+problem, "reason", problem))
	}
	unknown := v2Problem(web.CodeAccountNotFound, 404, "Incorrect account ID provided!")
	runAll(t, []request{
		row("MoneyLeft", "{id}", "", 422,
			v2Problem(web.CodeBalanceNotZero, 422, "The account cannot be closed while its balance is not 0!")),
		row("Closed", "{closed}", "", 422, v2Problem(web.CodeAccountClosed, 422, "Bank account has already been closed!")),
		row("Unknown", "nobody", "", 404, unknown),
		row("NoAccountID", "a%20b", "", 404, unknown),
		bad("EmptyReason", `{"reason":""}`, "must not be blank"),
		bad("LongReason", `{"reason":"`+strings.Repeat("x", 201)+`"}`, "must not be longer than 200 characters"),
		bad("ReasonWithControl", `{"reason":"\u007f"}`, "must not contain control characters"),
		row("BadReasonOfUnknown", "nobody", `{"reason":""}`, 400,
			v2Problem(web.CodeInvalidRequest, 400, "reason must not be blank", "reason", "must not be blank")),
		row("ReasonAsNumber", "{id}", `{"reason":1}`, 400, v2Problem(web.CodeInvalidRequest, 400,
			"reason: the value must be a string", "reason", "the value must be a string")),
		row("UnknownMember", "{id}", `{"id":"x"}`, 400, v2Problem(web.CodeInvalidRequest, 400,
			"id: the member is not known here", "id", "the member is not known here")),
		row("Array", "{id}", `[]`, 400, v2Problem(web.CodeInvalidRequest, 400, "the body must be a JSON object")),
		row("JSONNull", "{id}", `null`, 400, v2Problem(web.CodeInvalidRequest, 400, "the body must be a JSON object")),
	})
}

// What version 2 knows beyond version 1 goes into the events, to the byte.
func TestV2_Events(t *testing.T) {
	t.Parallel()
	b := open(t)
	b.send("POST", v2Accounts, `{"accountHolder":"Zoë","accountType":"CURRENT","accountId":"a","phone":"+49 30 1","email":"z@example.org",`+
		`"openingBalance":{"amount":"1.5","currency":"KWD"}}`)
	b.send("POST", v2Accounts+"/a/deposits", `{"amount":{"amount":"0.001","currency":"KWD"},"reference":"<salary>"}`)
	b.send("POST", v2Accounts+"/a/withdrawals", `{"amount":{"amount":"1.501","currency":"KWD"},"reference":"rent"}`)
	b.send("POST", v2Accounts+"/a/closure", `{"reason":"moved away"}`)
	var got []string
	for _, e := range b.events(t) {
		got = append(got, e.Type.String()+" "+string(e.Data))
	}
	require.Equal(t, []string{
		`passbook.account.opened.v1 {"accountHolder":"Zoë","accountType":"CURRENT",` +
			`"openingBalance":{"amount":"1.500","currency":"KWD"},"phone":"+49 30 1","email":"z@example.org"}`,
		`passbook.account.deposited.v1 {"amount":{"amount":"0.001","currency":"KWD"},` +
			`"balance":{"amount":"1.501","currency":"KWD"},"reference":"<salary>"}`,
		`passbook.account.withdrawn.v1 {"amount":{"amount":"1.501","currency":"KWD"},` +
			`"balance":{"amount":"0.000","currency":"KWD"},"reference":"rent"}`,
		`passbook.account.closed.v1 {"reason":"moved away"}`,
	}, got)
}

// The currency of accounts that name none is the service's.
func TestV2_OpenAccount_CurrencyOfTheService(t *testing.T) {
	t.Parallel()
	b := open(t, func(s *setup) { s.api.Currency = currency(t, "JPY") })
	a := b.send("POST", v2Accounts, `{"accountHolder":"A","accountType":"SAVINGS","accountId":"a"}`)
	require.JSONEq(t, `{"accountId":"a","version":0,"position":1,"balance":{"amount":"0","currency":"JPY"}}`, a.body)
	b.v2Open("b", "1").created(t, "b", 0, 2, "1.00")
	// Version 1 has no word for another currency, and so none for such an account.
	b.deposit("b", "1").problem(t, 422, web.CodeCurrencyMismatch, "The account is in EUR, the amount in JPY!")
}

func TestV2_Location(t *testing.T) {
	t.Parallel()
	b := open(t)
	a := b.send("POST", v2Accounts, `{"accountHolder":"A","accountType":"SAVINGS"}`)
	require.Equal(t, v2Accounts+"/"+uuid.FindString(a.body), a.header.Get("Location"))
	require.Equal(t, v2Accounts+"/A.b_-", b.v2Open("A.b_-", "1").header.Get("Location"))
	for _, a := range []answer{b.v2Open("A.b_-", "1"), b.v2Deposit("A.b_-", "1"), b.v2Withdraw("A.b_-", "2"), b.v2Close("A.b_-")} {
		require.Empty(t, a.header.Values("Location"), a.body)
	}
}

func TestV2_RoutesAndMediaTypes(t *testing.T) {
	t.Parallel()
	b := open(t)
	b.v2Open("a", "1")
	bodies := map[string]string{
		v2Accounts:                    `{"accountHolder":"A","accountType":"SAVINGS"}`,
		v2Accounts + "/a/deposits":    `{"amount":` + euro("1") + `}`,
		v2Accounts + "/a/withdrawals": `{"amount":` + euro("1") + `}`,
		v2Accounts + "/a/closure":     `{}`,
	}
	for path, body := range bodies {
		for _, method := range []string{"GET", "PUT", "DELETE", "PATCH"} {
			a := b.send(method, path, "")
			a.refused(t, http.StatusMethodNotAllowed, web.CodeMethodNotAllowed, "the Allow header lists the methods of this address")
			require.Equal(t, "POST", a.header.Get("Allow"))
		}
		for _, media := range []string{"text/plain", "application/x-www-form-urlencoded", "application/json; charset=utf-16", ""} {
			b.send("POST", path, body, "Content-Type:"+media).refused(t, http.StatusUnsupportedMediaType,
				web.CodeUnsupportedMediaType, "send the body as Content-Type: application/json in UTF-8")
		}
		b.send("POST", path, strings.Repeat(" ", 64<<10)+body).refused(t, http.StatusRequestEntityTooLarge, web.CodeTooLarge,
			"a body has 64 KiB at most")
	}
	for _, path := range []string{v2Accounts + "/a", v2Accounts + "/a/deposit", v2Accounts + "/a/b/deposits", v2Accounts + "/./deposits", "/api/v2"} {
		b.send("POST", path, "{}").refused(t, http.StatusNotFound, web.CodeNotFound, "there is no such route; /docs lists those there are")
	}
	require.Len(t, b.events(t), 1)
}
