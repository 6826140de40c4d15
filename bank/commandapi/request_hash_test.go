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
