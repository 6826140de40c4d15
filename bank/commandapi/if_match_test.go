package commandapi_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"passbook/bank/web"
)

const otherVersion = "If-Match names another version than the account has"

func TestETag(t *testing.T) {
	t.Parallel()
	b := open(t)
	a := b.send("POST", "/api/v1/openBankAccount", openBody)
	require.Equal(t, `"0"`, a.header.Get("ETag"))
	id := a.id(t)
	require.Equal(t, `"1"`, b.deposit(id, "1").ok(t).header.Get("ETag"))
	require.Equal(t, `"2"`, b.withdraw(id, "1").ok(t).header.Get("ETag"))
	require.Empty(t, b.withdraw(id, "100").header.Get("ETag"))
	require.Equal(t, `"3"`, b.close(id).ok(t).header.Get("ETag"))
}

func TestIfMatch(t *testing.T) {
	t.Parallel()
	b := open(t)
	id := b.account(t)
	give := map[string]func(...string) answer{
		"deposit":  func(h ...string) answer { return b.deposit(id, "1", h...) },
		"withdraw": func(h ...string) answer { return b.withdraw(id, "1", h...) },
		"close":    func(h ...string) answer { return b.close(id, h...) },
	}
	version := int64(0)
	for _, name := range []string{"deposit", "withdraw", "close"} {
		for _, other := range []string{`"7"`, `"9223372036854775807"`} {
			p := give[name]("If-Match: "+other).problem(t, 412, web.CodeVersionConflict, otherVersion)
			require.Equal(t, version, *p.ActualVersion)
			require.Equal(t, other, `"`+formatInt(*p.ExpectedVersion)+`"`)
		}
		_, now := b.balance(t, id)
		require.Equal(t, version, now)
		if name == "withdraw" {
			give[name]("If-Match: *").ok(t)
		} else {
			give[name](`If-Match: "` + formatInt(version) + `"`).ok(t)
		}
		version++
	}
	// 412 comes before the account's own refusal, as it stands on a state that
	// the client does not know.
	b.deposit(id, "1", `If-Match: "0"`).problem(t, 412, web.CodeVersionConflict, otherVersion)
	b.deposit(id, "1", `If-Match: "3"`).problem(t, 400, web.CodeAccountClosed, "Funds cannot be deposited into a closed bank account!")
}

func TestIfMatch_Malformed(t *testing.T) {
	t.Parallel()
	b := open(t)
	id := b.account(t)
	const message = `If-Match: must be one version in quotes, such as "3", or *`
	for _, tag := range []string{
		"", "0", `W/"0"`, `"0`, `0"`, `""0""`, `"-1"`, `"+0"`, `"00"`, `" 0"`, `"x"`, `"*"`, `""`, `"0", "1"`, `*, "0"`,
		`"9223372036854775808"`, "\"0\xff\"",
	} {
		for _, a := range []answer{
			b.deposit(id, "1", "If-Match: "+tag), b.withdraw(id, "1", "If-Match: "+tag), b.close(id, "If-Match: "+tag),
			b.send("POST", "/api/v1/openBankAccount", openBody, "If-Match: "+tag),
		} {
			p := a.problem(t, 400, web.CodeInvalidRequest, message)
			require.Equal(t, "If-Match", p.Errors[0].Field)
		}
	}
	b.deposit(id, "1", `If-Match: "0"`, `If-Match: "0"`).problem(t, 400, web.CodeInvalidRequest, message)
	require.Len(t, b.events(t), 1)
}

// Where there is no account a precondition cannot be met; that it is not there
// is what the client needs to know, unless it wants to open one.
func TestIfMatch_NoAccount(t *testing.T) {
	t.Parallel()
	b := open(t)
	for _, tag := range []string{`"0"`, `"3"`, "*"} {
		for _, a := range []answer{
			b.deposit("nobody", "1", "If-Match: "+tag), b.withdraw("nobody", "1", "If-Match: "+tag), b.close("nobody", "If-Match: "+tag),
		} {
			a.problem(t, 400, web.CodeAccountNotFound, "Incorrect account ID provided!")
		}
		p := b.send("POST", "/api/v1/openBankAccount", openBody, "If-Match: "+tag).problem(t, 412, web.CodeVersionConflict, otherVersion)
		require.Equal(t, int64(-1), *p.ActualVersion)
		b.send("POST", "/api/v1/openBankAccount", `{}`, "If-Match: "+tag).problem(t, 400, web.CodeInvalidRequest,
			"accountHolder must not be blank")
	}
	require.Empty(t, b.events(t))
}
