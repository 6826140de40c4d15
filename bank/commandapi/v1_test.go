package commandapi_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"passbook/bank/web"
)

// request is one row of the contract: what is sent, and what is answered to the
// byte. {id} stands for an account with 50.00 EUR, {closed} for one that was
// closed with that.
type request struct {
	name, method, path, body string
	headers                  []string
	status                   int
	want                     string // {uuid} stands for any, {id} and {closed} as above
	balance                  string // of {id} afterwards; 50.00 EUR if empty
}

const (
	deposited   = `{"message":"Deposit funds request completed successfully!"}`
	withdrawn   = `{"message":"Withdraw funds request completed successfully!"}`
	closed      = `{"message":"Bank account closure request successfully completed!"}`
	opened      = `{"message":"Bank account creations request completed successfully!","id":"{uuid}"}`
	notPositive = `[{"field":"amount","detail":"must be greater than 0"}]`
)

var uuid = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)

func (r request) run(t *testing.T) {
	t.Helper()
	b := open(t)
	id, gone := b.account(t), b.account(t)
	b.close(gone).ok(t)
	names := strings.NewReplacer("{id}", id, "{closed}", gone)
	before := len(b.events(t))

	a := b.send(r.method, names.Replace(r.path), names.Replace(r.body), r.headers...)
	require.Equal(t, r.status, a.status, a.body)
	body := a.body
	if strings.Contains(r.want, "{uuid}") {
		body = uuid.ReplaceAllString(body, "{uuid}")
	}
	require.Equal(t, names.Replace(r.want), body)
	want := r.balance
	if want == "" {
		want = "50.00 EUR"
	}
	b.requireBalance(t, id, want)
	b.requireBalance(t, gone, "50.00 EUR")
	if r.status >= 400 {
		require.Equal(t, "application/problem+json", a.header.Get("Content-Type"))
		require.Len(t, b.events(t), before, "a refusal left events behind")
		return
	}
	require.Equal(t, "application/json", a.header.Get("Content-Type"))
	require.Len(t, b.events(t), before+1)
	require.NotEmpty(t, a.header.Get("ETag"))
	require.Empty(t, a.header.Get("Idempotent-Replayed"))
}

func runAll(t *testing.T, rows []request) {
	t.Helper()
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			r.run(t)
		})
	}
}

// opening is a row of POST openBankAccount.
func opening(name, body string, status int, want string) request {
	return request{name: name, method: "POST", path: "/api/v1/openBankAccount", body: body, status: status, want: want}
}

// notOpened is such a row that is refused for one of its members.
func notOpened(name, body, field, problem string) request {
	return opening(name, body, 400, problemJSON(web.CodeInvalidRequest, 400,
		field+" "+problem, `[{"field":"`+field+`","detail":"`+problem+`"}]`))
}

// unread is such a row that the decoder refuses.
func unread(name, body, message, fault string) request {
	return opening(name, body, 400, problemJSON(web.CodeInvalidRequest, 400, message, fault))
}

func TestV1_OpenBankAccount(t *testing.T) {
	t.Parallel()
	const limit = "must not be beyond 999999999999.99 EUR"
	const noNumber = "must be a number such as 12.5"
	const badType = "must be SAVINGS or CURRENT"
	with := func(balance string) string {
		return `{"accountHolder":"John Doe","accountType":"CURRENT","openingBalance":` + balance + `}`
	}
	slash := opening("TrailingSlash", openBody, 201, opened)
	slash.path += "/"
	runAll(t, []request{
		opening("OK", openBody, 201, opened),
		opening("UnknownMembers", `{"id":"mine","x":{"y":[1,null]},"AccountHolder":7,`+openBody[1:], 201, opened),
		opening("NoBalance", `{"accountHolder":"John Doe","accountType":"SAVINGS"}`, 201, opened),
		opening("ZeroBalance", with("0"), 201, opened),
		opening("NumericString", with(`"12.5"`), 201, opened),
		opening("JavaDouble", with("1.0E7"), 201, opened),
		opening("LargestBalance", with("999999999999.99"), 201, opened),
		slash,

		notOpened("Empty", `{}`, "accountHolder", "must not be blank"),
		notOpened("Nulls", `{"accountHolder":null,"accountType":null,"openingBalance":0}`, "accountHolder", "must not be blank"),
		notOpened("NullType", `{"accountHolder":"John Doe","accountType":null}`, "accountType", badType),
		notOpened("NullBalance", with("null"), "openingBalance", noNumber),
		notOpened("NegativeBalance", with("-0.01"), "openingBalance", "must not be negative"),
		notOpened("NegativeBeyondLimit", with("-1e400"), "openingBalance", "must not be negative"),
		notOpened("NaN", with(`"NaN"`), "openingBalance", noNumber),
		notOpened("Infinity", with(`"-Infinity"`), "openingBalance", noNumber),
		notOpened("EmptyBalance", with(`""`), "openingBalance", noNumber),
		notOpened("1e400", with("1e400"), "openingBalance", limit),
		notOpened("1e400AsString", with(`"1e400"`), "openingBalance", limit),
		notOpened("BeyondLimit", with("1000000000000"), "openingBalance", limit),
		notOpened("TooManyDecimals", with("0.001"), "openingBalance", "must not have more than the 2 decimals of EUR"),
		notOpened("UnknownType", `{"accountHolder":"John Doe","accountType":"GOLD"}`, "accountType", badType),
		notOpened("TypeInOtherCase", `{"accountHolder":"John Doe","accountType":"savings"}`, "accountType", badType),
		notOpened("BlankHolder", `{"accountHolder":" ","accountType":"SAVINGS"}`, "accountHolder", "must not be blank"),
		notOpened("LongHolder", `{"accountHolder":"`+strings.Repeat("é", 201)+`","accountType":"SAVINGS"}`,
			"accountHolder", "must not be longer than 200 characters"),

		unread("TypeAsOrdinal", `{"accountHolder":"John Doe","accountType":0}`, "accountType: the value must be a string",
			`[{"field":"accountType","detail":"the value must be a string"}]`),
		unread("HolderAsNumber", `{"accountHolder":7,"accountType":"SAVINGS"}`, "accountHolder: the value must be a string",
			`[{"field":"accountHolder","detail":"the value must be a string"}]`),
		unread("BalanceAsObject", with(`{"amount":"1"}`), "openingBalance: the value must be a number",
			`[{"field":"openingBalance","detail":"the value must be a number"}]`),
		unread("Repeated", `{"accountHolder":"A",`+openBody[1:], "accountHolder: the member stands more than once",
			`[{"field":"accountHolder","detail":"the member stands more than once"}]`),
		unread("Malformed", `{"accountHolder":`, "the body is not valid JSON at byte 17", ""),
		unread("BareNaN", with(`NaN`), "the body is not valid JSON at byte 69", ""),
		unread("Array", `[]`, "the body must be a JSON object", ""),
		unread("NoBody", ``, "the request needs a body: a JSON object", ""),
	})
}

func TestV1_DepositFunds(t *testing.T) {
	t.Parallel()
	row := func(name, account, body string, status int, want, balance string) request {
		return request{
			name: name, method: "PUT", path: "/api/v1/depositFunds/" + account, body: body,
			status: status, want: want, balance: balance,
		}
	}
	refused := func(name, account, body string, code web.Code, message, fault string) request {
		return row(name, account, body, 400, problemJSON(code, 400, message, fault), "")
	}
	notAbove0 := func(name, body string) request {
		return refused(name, "{id}", body, web.CodeInvalidRequest, "The deposit amount must be greater than 0!", notPositive)
	}
	const unknown = "Incorrect account ID provided!"
	const noNumber = "amount must be a number such as 12.5"
	const noNumberFault = `[{"field":"amount","detail":"must be a number such as 12.5"}]`
	runAll(t, []request{
		row("OK", "{id}", `{"amount":100.1}`, 200, deposited, "150.10 EUR"),
		row("PathWins", "{id}", `{"id":"{closed}","amount":100.1}`, 200, deposited, "150.10 EUR"),
		row("NumericString", "{id}", `{"amount":"0.01"}`, 200, deposited, "50.01 EUR"),
		row("OtherCaseIsAnotherMember", "{id}", `{"amount":1,"Amount":-7}`, 200, deposited, "51.00 EUR"),
		row("TrailingSlash", "{id}/", `{"amount":1}`, 200, deposited, "51.00 EUR"),

		refused("UnknownAccount", "97ebd5d8-9c2f-4dda-b59a-a1c62c20a6a8", `{"amount":1}`, web.CodeAccountNotFound, unknown, ""),
		refused("UnknownAccountFirst", "nobody", `{"amount":0}`, web.CodeAccountNotFound, unknown, ""),
		refused("NoAccountID", "a%20b", `{"amount":1}`, web.CodeAccountNotFound, unknown, ""),
		refused("SlashInID", "a%2Fb", `{"amount":1}`, web.CodeAccountNotFound, unknown, ""),
		refused("LongID", strings.Repeat("a", 65), `{"amount":1}`, web.CodeAccountNotFound, unknown, ""),
		notAbove0("Zero", `{"amount":0}`),
		notAbove0("NegativeZero", `{"amount":-0.0}`),
		notAbove0("Negative", `{"amount":-7}`),
		notAbove0("NegativeString", `{"amount":"-7"}`),
		notAbove0("NegativeFraction", `{"amount":-0.001}`),
		notAbove0("NegativeBeyondLimit", `{"amount":-1e400}`),
		notAbove0("Missing", `{}`),
		notAbove0("Null", `{"amount":null}`),
		refused("Closed", "{closed}", `{"amount":1}`, web.CodeAccountClosed, "Funds cannot be deposited into a closed bank account!", ""),
		refused("ClosedFirst", "{closed}", `{"amount":0}`, web.CodeAccountClosed,
			"Funds cannot be deposited into a closed bank account!", ""),
		refused("NaN", "{id}", `{"amount":"NaN"}`, web.CodeInvalidRequest, noNumber, noNumberFault),
		refused("EmptyString", "{id}", `{"amount":""}`, web.CodeInvalidRequest, noNumber, noNumberFault),
		refused("QuotedTwice", "{id}", `{"amount":"\"7\""}`, web.CodeInvalidRequest, noNumber, noNumberFault),
		refused("Bool", "{id}", `{"amount":true}`, web.CodeInvalidRequest, "amount: the value must be a number",
			`[{"field":"amount","detail":"the value must be a number"}]`),
		refused("Repeated", "{id}", `{"amount":1,"amount":-7}`, web.CodeInvalidRequest, "amount: the member stands more than once",
			`[{"field":"amount","detail":"the member stands more than once"}]`),
		refused("TooManyDecimals", "{id}", `{"amount":0.005}`, web.CodeInvalidRequest,
			"amount must not have more than the 2 decimals of EUR",
			`[{"field":"amount","detail":"must not have more than the 2 decimals of EUR"}]`),
		row("BalanceLimit", "{id}", `{"amount":999999999950}`, 422, problemJSON(web.CodeBalanceLimit, 422,
			"Deposit declined, the balance would pass 999999999999.99 EUR!", ""), ""),
	})
}

func TestV1_WithdrawFunds(t *testing.T) {
	t.Parallel()
	row := func(name, account, body string, status int, want, balance string) request {
		return request{
			name: name, method: "PUT", path: "/api/v1/withdrawFunds/" + account, body: body,
			status: status, want: want, balance: balance,
		}
	}
	refused := func(name, account, body string, code web.Code, message, fault string) request {
		return row(name, account, body, 400, problemJSON(code, 400, message, fault), "")
	}
	notAbove0 := func(name, body string) request {
		return refused(name, "{id}", body, web.CodeInvalidRequest, "The withdraw amount must be greater than 0!", notPositive)
	}
	const tooMuch = "Withdraw declined, insufficient funds!"
	const limit = "must not be beyond 999999999999.99 EUR"
	runAll(t, []request{
		row("OK", "{id}", `{"amount":20}`, 200, withdrawn, "30.00 EUR"),
		row("Everything", "{id}", `{"amount":50.0}`, 200, withdrawn, "0.00 EUR"),
		row("PathWins", "{id}", `{"id":"{closed}","amount":"20"}`, 200, withdrawn, "30.00 EUR"),
		row("TrailingSlash", "{id}/", `{"amount":20}`, 200, withdrawn, "30.00 EUR"),

		refused("MoreThanBalance", "{id}", `{"amount":50.01}`, web.CodeInsufficientFunds, tooMuch, ""),
		refused("MoreThanBalanceOfClosed", "{closed}", `{"amount":50.01}`, web.CodeInsufficientFunds, tooMuch, ""),
		refused("Closed", "{closed}", `{"amount":50}`, web.CodeAccountClosed, "Funds cannot be withdrawn from a closed account!", ""),
		refused("UnknownAccount", "nobody", `{"amount":1}`, web.CodeAccountNotFound, "Incorrect account ID provided!", ""),
		refused("NoAccountID", "a%00b", `{"amount":1}`, web.CodeAccountNotFound, "Incorrect account ID provided!", ""),
		notAbove0("Zero", `{"amount":0}`),
		notAbove0("Negative", `{"amount":-7}`),
		notAbove0("NegativeFraction", `{"amount":"-0.001"}`),
		notAbove0("Missing", `{"Amount":7}`),
		notAbove0("Null", `{"amount":null}`),
		refused("BeyondLimit", "{id}", `{"amount":1e400}`, web.CodeInvalidRequest, "amount "+limit,
			`[{"field":"amount","detail":"`+limit+`"}]`),
	})
}

func TestV1_CloseBankAccount(t *testing.T) {
	t.Parallel()
	row := func(name, account string, status int, want string) request {
		return request{name: name, method: "DELETE", path: "/api/v1/closeBankAccount/" + account, status: status, want: want}
	}
	again := problemJSON(web.CodeAccountClosed, 400, "Bank account has already been closed!", "")
	unknown := problemJSON(web.CodeAccountNotFound, 400, "Incorrect account ID provided!", "")
	withBody := row("BodyIsNotRead", "{id}", 200, closed)
	withBody.body = `{"amount":`
	runAll(t, []request{
		row("WithMoneyLeft", "{id}", 200, closed),
		row("TrailingSlash", "{id}/", 200, closed),
		withBody,
		row("Again", "{closed}", 400, again),
		row("UnknownAccount", "nobody", 400, unknown),
		row("NoAccountID", "a%20b", 400, unknown),
	})
}

func TestV1_RoutesAndMediaTypes(t *testing.T) {
	t.Parallel()
	b := open(t)
	id := b.account(t)
	for path, allow := range map[string]string{
		"/api/v1/openBankAccount":        "POST",
		"/api/v1/depositFunds/" + id:     "PUT",
		"/api/v1/withdrawFunds/" + id:    "PUT",
		"/api/v1/closeBankAccount/" + id: "DELETE",
	} {
		for _, slash := range []string{"", "/"} {
			a := b.send("GET", path+slash, "")
			p := a.problem(t, http.StatusMethodNotAllowed, web.CodeMethodNotAllowed, "the Allow header lists the methods of this address")
			require.Equal(t, p.Message, p.Detail)
			require.Equal(t, allow, a.header.Get("Allow"))
		}
	}
	for _, media := range []string{"text/plain", "application/xml", "application/json; charset=utf-16", ""} {
		for _, target := range []string{
			"POST /api/v1/openBankAccount", "PUT /api/v1/depositFunds/" + id, "PUT /api/v1/withdrawFunds/" + id,
		} {
			method, path, _ := strings.Cut(target, " ")
			b.send(method, path, `{"amount":1}`, "Content-Type:"+media).problem(t,
				http.StatusUnsupportedMediaType, web.CodeUnsupportedMediaType, "send the body as Content-Type: application/json in UTF-8")
		}
	}
	b.send("PUT", "/api/v1/depositFunds", `{"amount":1}`).problem(t, http.StatusNotFound, web.CodeNotFound,
		"there is no such route; /docs lists those there are")
	b.send("POST", "/api/v1/openBankAccount", `{"accountHolder":"`+strings.Repeat("x", 64<<10)+`"}`).problem(t,
		http.StatusRequestEntityTooLarge, web.CodeTooLarge, "a body has 64 KiB at most")
	require.Len(t, b.events(t), 1)
}
