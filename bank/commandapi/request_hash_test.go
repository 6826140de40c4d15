package commandapi_test

import (
	"encoding/hex"
	"testing"

	"github.com/stretchr/testify/require"

	"passbook/es/event"
)

// Stored hashes must be found again by every later program: what these requests
// hash to can never change. A test that wants another value is wrong.
func TestRequestHash_IsForEver(t *testing.T) {
	t.Parallel()
	b := open(t)
	const id = "97ebd5d8-9c2f-4dda-b59a-a1c62c20a6a8"
	b.openAs(t, id)
	b.send("POST", "/api/v1/openBankAccount", openBody, "Idempotency-Key: open").id(t)
	b.deposit(id, "100.1", "Idempotency-Key: in").ok(t)
	b.withdraw(id, "20", "Idempotency-Key: out", `If-Match: "1"`).ok(t)
	b.close(id, "Idempotency-Key: over", "If-Match: *").ok(t)
	for key, want := range map[string]string{
		"open": "189cdbfb47ab8bcae9d53b7d5c772aa925ae6a7e66de458705cf2d29a8c64dff",
		"in":   "6b2d057c9c193060e1efdb9195e25315070d1e0556078b1ed2682d703baedb76",
		"out":  "f1cfb7185d90570287007ff3a4da0a2aab33d920653ac47b52b51ee713370618",
		"over": "c09c8eb634b542d9f2900787508d6116d6e17aae6c9566def56ee9030b627620",
	} {
		record, err := b.store.FindKey(t.Context(), event.Key{Value: key})
		require.NoError(t, err)
		require.Equal(t, want, hex.EncodeToString(record.RequestHash), key)
	}
}

func TestRequestHash_IsForEver_Version2(t *testing.T) {
	t.Parallel()
	b := open(t)
	b.send("POST", v2Accounts, `{"accountHolder":"Zoë","accountType":"CURRENT","accountId":"a","phone":"+49 30 1","email":"z@example.org",`+
		`"currency":"EUR","openingBalance":`+euro("12.5")+`}`, "Idempotency-Key: open")
	b.send("POST", v2Accounts, `{"accountHolder":"Zoë","accountType":"CURRENT"}`, "Idempotency-Key: least")
	b.send("POST", v2Accounts+"/a/deposits", `{"amount":`+euro("7.5")+`,"reference":"salary"}`, "Idempotency-Key: in", `If-Match: "0"`)
	b.v2Withdraw("a", "20", "Idempotency-Key: out")
	b.send("POST", v2Accounts+"/a/closure", `{"reason":"moved away"}`, "Idempotency-Key: over", "If-Match: *")
	for key, want := range map[string][2]string{
		"open":  {"250bb14eb8ec07ef71b1f822eaa5a93183d593b8cd13dfd8bb276ce32a908d52", `{"balance":{"amount":"12.50","currency":"EUR"}}`},
		"least": {"17feefcf351463a46509c9da3774fe75d4500ede065ece1f7dd38a29c9f5387e", `{"balance":{"amount":"0.00","currency":"EUR"}}`},
		"in":    {"1f3ed6411889f459502c07c6f3b6f330e630f0954ff720882ff105690bd8c5d9", `{"balance":{"amount":"20.00","currency":"EUR"}}`},
		"out":   {"3c277bf8ce94bd62fd112c4919b06b7c688dd3fd3505a6d0fe937254dc926e0c", `{"balance":{"amount":"0.00","currency":"EUR"}}`},
		"over":  {"7ccaa03c2bb2a33be2cba9ee2519583340d2f1db918bd1d7988ff3e55b4f8e8d", `{"balance":{"amount":"0.00","currency":"EUR"}}`},
	} {
		record, err := b.store.FindKey(t.Context(), event.Key{Value: key})
		require.NoError(t, err)
		require.Equal(t, want[0], hex.EncodeToString(record.RequestHash), key)
		require.Equal(t, want[1], string(record.Result), key)
	}
}
