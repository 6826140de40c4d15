package commandapi_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"passbook/bank/web"
)

const v2Accounts = "/api/v2/accounts"

// euro is an amount on the wire of version 2.
func euro(amount string) string { return `{"amount":"` + amount + `","currency":"EUR"}` }

func (b *bank) v2Open(id, balance string, headers ...string) answer {
	return b.send("POST", v2Accounts,
		`{"accountHolder":"John Doe","accountType":"SAVINGS","accountId":"`+id+`","openingBalance":`+euro(balance)+`}`, headers...)
}

func (b *bank) v2Deposit(id, amount string, headers ...string) answer {
	return b.send("POST", v2Accounts+"/"+id+"/deposits", `{"amount":`+euro(amount)+`}`, headers...)
}

func (b *bank) v2Withdraw(id, amount string, headers ...string) answer {
	return b.send("POST", v2Accounts+"/"+id+"/withdrawals", `{"amount":`+euro(amount)+`}`, headers...)
}

func (b *bank) v2Close(id string, headers ...string) answer {
	return b.send("POST", v2Accounts+"/"+id+"/closure", "", headers...)
}

// created checks a success of version 2; amount is the balance, empty for a closure.
func (a answer) created(t *testing.T, id string, version, position int, amount string) answer {
	t.Helper()
	require.Equal(t, 201, a.status, a.body)
	require.Equal(t, "application/json", a.header.Get("Content-Type"))
	require.Equal(t, fmt.Sprintf(`"%d"`, version), a.header.Get("ETag"))
	require.Equal(t, done(id, version, position, amount), a.body)
	return a
}

// done is the body of a success of version 2.
func done(id string, version, position int, amount string) string {
	body := fmt.Sprintf(`{"accountId":"%s","version":%d,"position":%d`, id, version, position)
	if amount != "" {
		body += `,"balance":` + euro(amount)
	}
	return body + "}"
}

// refused checks a problem of version 2 and returns it.
func (a answer) refused(t *testing.T, status int, code web.Code, detail string) web.Problem {
	t.Helper()
	p := a.problem(t, status, code, "")
	require.Equal(t, detail, p.Detail)
	return p
}

// v2Problem is a problem's body to the byte; faults are pairs of field and detail.
func v2Problem(code web.Code, status int, detail string, faults ...string) string {
	text, _ := json.Marshal(detail)
	body := fmt.Sprintf(`{"type":"/docs#%s","title":%q,"status":%d,"detail":%s,"code":%q`, code, code.Title(), status, text, code)
	var errors []string
	for i := 0; i < len(faults); i += 2 {
		errors = append(errors, `{"field":"`+faults[i]+`","detail":"`+faults[i+1]+`"}`)
	}
	if len(errors) > 0 {
		body += `,"errors":[` + strings.Join(errors, ",") + `]`
	}
	return body + "}"
}

// badMoney are values of a money member that are refused whatever the account
// is: what is wrong, behind the member's name.
func badMoney() map[string][2]string {
	const plain = "must be a plain decimal number such as 12.50"
	number := func(amount string) string { return `{"amount":` + amount + `,"currency":"EUR"}` }
	bad := map[string][2]string{
		number(`12.50`):                         {".amount", ": the value must be a string"},
		number(`12`):                            {".amount", ": the value must be a string"},
		number(`true`):                          {".amount", ": the value must be a string"},
		number(`["1"]`):                         {".amount", ": the value must be a string"},
		number(`null`):                          {".amount", " " + plain},
		`{}`:                                    {".currency", " must be given"},
		`{"amount":"1"}`:                        {".currency", " must be given"},
		`{"currency":"EUR"}`:                    {".amount", " " + plain},
		`"12.50 EUR"`:                           {"", ": the value must be an object"},
		`12.50`:                                 {"", ": the value must be an object"},
		`[]`:                                    {"", ": the value must be an object"},
		`{"amount":"1","currency":"EUR","x":1}`: {".x", ": the member is not known here"},
		`{"amount":"1","Currency":"EUR"}`:       {".Currency", ": the member is not known here"},
		`{"amount":"1","amount":"1","currency":"EUR"}`: {".amount", ": the member stands more than once"},
		`{"amount":"1","currency":978}`:                {".currency", ": the value must be a string"},
		`{"amount":"1.5","currency":"JPY"}`:            {".amount", " must not have more than the 0 decimals of JPY"},
		euro("0.001"):                                  {".amount", " must not have more than the 2 decimals of EUR"},
		euro("1.000"):                                  {".amount", " must not have more than the 2 decimals of EUR"},
		euro("1000000000000"):                          {".amount", " must not be beyond 999999999999.99 EUR"},
		euro(strings.Repeat("1", 65)):                  {".amount", " must not be longer than 64 characters"},
	}
	for _, amount := range []string{"", " 1", "1 ", "+1", ".5", "5.", "05", "1e2", "1E2", "1,5", "1_0", "0x1", "NaN", "Infinity", "--1", "１"} {
		bad[euro(amount)] = [2]string{".amount", " " + plain}
	}
	return bad
}

func TestV2_OpenAccount(t *testing.T) {
	t.Parallel()
	const john = `"accountHolder":"John Doe","accountType":"CURRENT"`
	const badType = "must be SAVINGS or CURRENT"
	const badID = "must be 1 to 64 of the characters A-Z a-z 0-9 . _ -, and neither . nor .."
	const badCode = "must be an active ISO 4217 code in capitals, such as EUR"
	row := func(name, body string, status int, want string) request {
		return request{name: name, method: "POST", path: v2Accounts, body: body, status: status, want: want}
	}
	ok := func(name, more, balance string) request {
		return row(name, "{"+john+more+"}", 201, `{"accountId":"{uuid}","version":0,"position":4,"balance":`+balance+`}`)
	}
	bad := func(name, body, field, problem string) request {
		return row(name, body, 400, v2Problem(web.CodeInvalidRequest, 400, field+" "+problem, field, problem))
	}
	unread := func(name, body, detail string, faults ...string) request {
		return row(name, body, 400, v2Problem(web.CodeInvalidRequest, 400, detail, faults...))
	}
	slash := ok("TrailingSlash", "", euro("0.00"))
	slash.path += "/"
	rows := []request{
		ok("Least", "", euro("0.00")), slash,
		ok("Balance", `,"openingBalance":`+euro("50.00"), euro("50.00")),
		ok("FewerDecimals", `,"openingBalance":`+euro("12.5"), euro("12.50")),
		ok("ZeroBalance", `,"openingBalance":`+euro("0"), euro("0.00")),
		ok("LargestBalance", `,"openingBalance":`+euro("999999999999.99"), euro("999999999999.99")),
		ok("Currency", `,"currency":"JPY"`, `{"amount":"0","currency":"JPY"}`),
		ok("CurrencyOfBalance", `,"openingBalance":{"currency":"KWD","amount":"1.5"}`, `{"amount":"1.500","currency":"KWD"}`),
		ok("BothCurrencies", `,"currency":"EUR","openingBalance":`+euro("1"), euro("1.00")),
		ok("Contact", `,"phone":"+49 30 1234","email":"john@example.org"`, euro("0.00")),
		ok("Nulls", `,"phone":null,"email":null,"openingBalance":null,"currency":null,"accountId":null`, euro("0.00")),
		row("ChosenID", `{`+john+`,"accountId":"John.Doe_1-x"}`, 201, done("John.Doe_1-x", 0, 4, "0.00")),
		row("LongestID", `{`+john+`,"accountId":"`+strings.Repeat("x", 64)+`"}`, 201, done(strings.Repeat("x", 64), 0, 4, "0.00")),

		bad("BlankHolder", `{"accountHolder":" ","accountType":"SAVINGS"}`, "accountHolder", "must not be blank"),
		bad("NoHolder", `{"accountType":"SAVINGS"}`, "accountHolder", "must not be blank"),
		bad("LongHolder", `{"accountHolder":"`+strings.Repeat("é", 201)+`","accountType":"SAVINGS"}`,
			"accountHolder", "must not be longer than 200 characters"),
		bad("HolderOfTwoLines", `{"accountHolder":"a\nb","accountType":"SAVINGS"}`, "accountHolder", "must not contain control characters"),
		bad("NoType", `{"accountHolder":"A"}`, "accountType", badType),
		bad("TypeInOtherCase", `{"accountHolder":"A","accountType":"savings"}`, "accountType", badType),
		bad("NegativeBalance", `{`+john+`,"openingBalance":`+euro("-0.01")+`}`, "openingBalance.amount", "must not be negative"),
		bad("EmptyPhone", `{`+john+`,"phone":""}`, "phone", "must not be blank"),
		bad("LongPhone", `{`+john+`,"phone":"`+strings.Repeat("1", 201)+`"}`, "phone", "must not be longer than 200 characters"),
		bad("EmptyEmail", `{`+john+`,"email":""}`, "email", "must not be blank"),
		bad("EmailOfTwoLines", `{`+john+`,"email":"a@b\r\nBcc: c@d"}`, "email", "must not contain control characters"),
		bad("EmptyID", `{`+john+`,"accountId":""}`, "accountId", badID),
		bad("Dot", `{`+john+`,"accountId":"."}`, "accountId", badID),
		bad("DotDot", `{`+john+`,"accountId":".."}`, "accountId", badID),
		bad("SlashInID", `{`+john+`,"accountId":"a/b"}`, "accountId", badID),
		bad("LongID", `{`+john+`,"accountId":"`+strings.Repeat("x", 65)+`"}`, "accountId", badID),
		unread("SeveralFaults", `{"accountHolder":" ","accountType":"GOLD","openingBalance":`+euro("1e2")+`,"currency":"XXX","email":""}`,
			"several members are not valid", "accountHolder", "must not be blank", "accountType", badType,
			"openingBalance.amount", "must be a plain decimal number such as 12.50", "email", "must not be blank", "currency", badCode),
		unread("UnknownMember", `{`+john+`,"id":"x"}`, "id: the member is not known here", "id", "the member is not known here"),
		unread("MemberInOtherCase", `{`+john+`,"AccountId":"x"}`, "AccountId: the member is not known here",
			"AccountId", "the member is not known here"),
		unread("Repeated", `{"accountHolder":"A",`+john+`}`, "accountHolder: the member stands more than once",
			"accountHolder", "the member stands more than once"),
		unread("HolderAsNumber", `{"accountHolder":7,"accountType":"SAVINGS"}`, "accountHolder: the value must be a string",
			"accountHolder", "the value must be a string"),
		unread("PhoneAsNumber", `{`+john+`,"phone":4930}`, "phone: the value must be a string", "phone", "the value must be a string"),
		unread("Malformed", `{`, "the body is not valid JSON at byte 1"),
		unread("NoBody", ``, "the request needs a body: a JSON object"),

		row("UnknownCurrency", `{`+john+`,"currency":"XXX"}`, 400,
			v2Problem(web.CodeCurrencyUnknown, 400, "currency "+badCode, "currency", badCode)),
		row("EmptyCurrency", `{`+john+`,"currency":""}`, 400,
			v2Problem(web.CodeCurrencyUnknown, 400, "currency "+badCode, "currency", badCode)),
		row("UnknownCurrencyOfBalance", `{`+john+`,"openingBalance":{"amount":"1","currency":"eur"}}`, 400,
			v2Problem(web.CodeCurrencyUnknown, 400, "openingBalance.currency "+badCode, "openingBalance.currency", badCode)),
		row("TwoUnknownCurrencies", `{`+john+`,"currency":"XAU","openingBalance":{"amount":"1","currency":"eur"}}`, 400,
			v2Problem(web.CodeCurrencyUnknown, 400, "several members are not valid",
				"openingBalance.currency", badCode, "currency", badCode)),
		row("CurrencyMismatch", `{`+john+`,"currency":"USD","openingBalance":`+euro("1")+`}`, 422,
			v2Problem(web.CodeCurrencyMismatch, 422, "The account is in USD, the amount in EUR!")),
		row("Exists", `{`+john+`,"accountId":"{id}"}`, 409,
			v2Problem(web.CodeAccountExists, 409, "An account with this ID already exists!")),
		row("ExistsClosed", `{`+john+`,"accountId":"{closed}"}`, 409,
			v2Problem(web.CodeAccountExists, 409, "An account with this ID already exists!")),
	}
	for value, fault := range badMoney() {
		rows = append(rows, unread("Money "+value, `{`+john+`,"openingBalance":`+value+`}`,
			"openingBalance"+fault[0]+fault[1], "openingBalance"+fault[0], strings.TrimLeft(fault[1], ": ")))
	}
	runAll(t, rows)
}

// movements are rows that deposits and withdrawals share.
func movements(route string) []request {
	const badCode = "must be an active ISO 4217 code in capitals, such as EUR"
	refused := func(name, account, body string, status int, code web.Code, detail string, faults ...string) request {
		return request{
			name: name, method: "POST", path: v2Accounts + "/" + account + "/" + route, body: body,
			status: status, want: v2Problem(code, status, detail, faults...),
		}
	}
	bad := func(name, account, body, field, problem string) request {
		return refused(name, account, body, 400, web.CodeInvalidRequest, field+" "+problem, field, problem)
	}
	unknown := func(account string) request {
		return refused("Account "+account, account, `{"amount":`+euro("1")+`}`, 404, web.CodeAccountNotFound, "Incorrect account ID provided!")
	}
	rows := []request{
		unknown("nobody"), unknown("a%20b"), unknown("a%2Fb"), unknown("%2e"), unknown("%2E%2e"), unknown(strings.Repeat("a", 65)),
		bad("Zero", "{id}", `{"amount":`+euro("0")+`}`, "amount.amount", "must be greater than 0"),
		bad("NegativeZero", "{id}", `{"amount":`+euro("-0.00")+`}`, "amount.amount", "must be greater than 0"),
		bad("Negative", "{id}", `{"amount":`+euro("-7")+`}`, "amount.amount", "must be greater than 0"),
		bad("Missing", "{id}", `{}`, "amount", "must be given"),
		bad("Null", "{id}", `{"amount":null}`, "amount", "must be given"),
		bad("BadAmountOfUnknownAccount", "nobody", `{"amount":`+euro("-7")+`}`, "amount.amount", "must be greater than 0"),
		bad("BadAmountOfNoAccountID", "a%20b", `{"amount":`+euro("0")+`}`, "amount.amount", "must be greater than 0"),
		bad("BadAmountOfClosedAccount", "{closed}", `{"amount":`+euro("0")+`}`, "amount.amount", "must be greater than 0"),
		bad("EmptyReference", "{id}", `{"amount":`+euro("1")+`,"reference":""}`, "reference", "must not be blank"),
		bad("LongReference", "{id}", `{"amount":`+euro("1")+`,"reference":"`+strings.Repeat("x", 201)+`"}`,
			"reference", "must not be longer than 200 characters"),
		bad("ReferenceWithControl", "{id}", `{"amount":`+euro("1")+`,"reference":"a\u0000"}`,
			"reference", "must not contain control characters"),
		refused("TwoFaults", "{id}", `{"reference":" "}`, 400, web.CodeInvalidRequest, "several members are not valid",
			"amount", "must be given", "reference", "must not be blank"),
		refused("UnknownCurrency", "{id}", `{"amount":{"amount":"1","currency":"XTS"}}`, 400, web.CodeCurrencyUnknown,
			"amount.currency "+badCode, "amount.currency", badCode),
		refused("OtherCurrency", "{id}", `{"amount":{"amount":"1","currency":"USD"}}`, 422, web.CodeCurrencyMismatch,
			"The account is in EUR, the amount in USD!"),
		refused("UnknownMember", "{id}", `{"amount":`+euro("1")+`,"id":"x"}`, 400, web.CodeInvalidRequest,
			"id: the member is not known here", "id", "the member is not known here"),
		refused("NoBody", "{id}", ``, 400, web.CodeInvalidRequest, "the request needs a body: a JSON object"),
	}
	for value, fault := range badMoney() {
		rows = append(rows, refused("Money "+value, "{id}", `{"amount":`+value+`}`, 400, web.CodeInvalidRequest,
			"amount"+fault[0]+fault[1], "amount"+fault[0], strings.TrimLeft(fault[1], ": ")))
	}
	return rows
}

// moved is a row that is accepted.
func moved(name, route, body, balance string) request {
	return request{
		name: name, method: "POST", path: v2Accounts + "/{id}/" + route, body: body,
		status: 201, want: done("{id}", 1, 4, balance), balance: balance + " EUR",
	}
}

func TestV2_DepositFunds(t *testing.T) {
	t.Parallel()
	refused := func(name, account, amount string, code web.Code, detail string) request {
		return request{
			name: name, method: "POST", path: v2Accounts + "/" + account + "/deposits", body: `{"amount":` + euro(amount) + `}`,
			status: 422, want: v2Problem(code, 422, detail),
		}
	}
	runAll(t, append(movements("deposits"),
		moved("OK", "deposits", `{"amount":`+euro("100.10")+`}`, "150.10"),
		moved("TrailingSlash", "deposits/", `{"amount":`+euro("0.1")+`}`, "50.10"),
		moved("Reference", "deposits", `{"reference":"`+strings.Repeat("é", 200)+`","amount":`+euro("1")+`}`, "51.00"),
		moved("NullReference", "deposits", `{"reference":null,"amount":`+euro("1")+`}`, "51.00"),
		moved("UpToTheLimit", "deposits", `{"amount":`+euro("999999999949.99")+`}`, "999999999999.99"),
		refused("BeyondTheLimit", "{id}", "999999999950.00", web.CodeBalanceLimit,
			"Deposit declined, the balance would pass 999999999999.99 EUR!"),
		refused("Closed", "{closed}", "1", web.CodeAccountClosed, "Funds cannot be deposited into a closed bank account!"),
	))
}

func TestV2_WithdrawFunds(t *testing.T) {
	t.Parallel()
	refused := func(name, account, amount string, code web.Code, detail string) request {
		return request{
			name: name, method: "POST", path: v2Accounts + "/" + account + "/withdrawals", body: `{"amount":` + euro(amount) + `}`,
			status: 422, want: v2Problem(code, 422, detail),
		}
	}
	const tooMuch = "Withdraw declined, insufficient funds!"
	runAll(t, append(movements("withdrawals"),
		moved("OK", "withdrawals", `{"amount":`+euro("20")+`,"reference":"rent"}`, "30.00"),
		moved("Everything", "withdrawals", `{"amount":`+euro("50.00")+`}`, "0.00"),
		refused("MoreThanBalance", "{id}", "50.01", web.CodeInsufficientFunds, tooMuch),
		refused("MoreThanBalanceOfClosed", "{closed}", "50.01", web.CodeInsufficientFunds, tooMuch),
		refused("Closed", "{closed}", "50.00", web.CodeAccountClosed, "Funds cannot be withdrawn from a closed account!"),
	))
}
