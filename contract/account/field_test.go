package account

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func requireProblem(t *testing.T, err error, field, problem string) {
	t.Helper()
	var fault *FieldError
	require.ErrorAs(t, err, &fault, "%v", err)
	require.Equal(t, field, fault.Field)
	require.Equal(t, problem, fault.Problem)
}

func TestCheckText(t *testing.T) {
	for field, check := range map[string]func(string) error{
		"accountHolder": CheckAccountHolder, "reference": CheckReference, "reason": CheckReason,
		"phone": CheckPhone, "email": CheckEmail,
	} {
		for _, text := range []string{
			"x", "John Doe", " John ", "Zoë Müller-Ångström", "山田太郎", "O'Brien & Söhne <GmbH>", "👩‍👩‍👧",
			strings.Repeat("x", 200), strings.Repeat("ß", 200), strings.Repeat("👍", 200),
		} {
			require.NoError(t, check(text), "%s %q", field, text)
		}
		for text, problem := range map[string]string{
			"":                       "must not be blank",
			"   ":                    "must not be blank",
			"\u00a0\u3000":           "must not be blank",
			"\u200b\u200d":           "must not be blank",
			strings.Repeat("x", 201): "must not be longer than 200 characters",
			strings.Repeat("ß", 201): "must not be longer than 200 characters",
			"a\nb":                   "must not contain control characters",
			"a\r":                    "must not contain control characters",
			"\ta":                    "must not contain control characters",
			"a\x00":                  "must not contain control characters",
			"a\x7f":                  "must not contain control characters",
			"a\u0085b":               "must not contain control characters",
			"a\u2028b":               "must not contain control characters",
			"a\u2029b":               "must not contain control characters",
			"\xff":                   "must be valid UTF-8",
			"a\xc3":                  "must be valid UTF-8",
			"\xed\xa0\x80":           "must be valid UTF-8", // half of a surrogate pair
		} {
			requireProblem(t, check(text), field, problem)
		}
	}
}

func TestCheckAccountID(t *testing.T) {
	for _, id := range []string{"a", "Z", "0", "a.b_c-D", "...", ".a", "-", "97ebd5d8-9c2f-4dda-b59a-a1c62c20a6a8", strings.Repeat("x", 64)} {
		require.NoError(t, CheckAccountID(id), id)
	}
	for _, id := range []string{"", ".", "..", strings.Repeat("x", 65), "a b", "a/b", "ä", "a\n", "a:b", "a@b", "a`", "[", "{", "a\x00"} {
		requireProblem(t, CheckAccountID(id), "accountId", "must be 1 to 64 of the characters A-Z a-z 0-9 . _ -, and neither . nor ..")
	}
}

func TestCheckIdempotencyKey(t *testing.T) {
	for _, key := range []string{"k", "a key", "!~", strings.Repeat("x", 255)} {
		require.NoError(t, CheckIdempotencyKey(key), key)
	}
	for _, key := range []string{"", strings.Repeat("x", 256), "a\tb", "a\x7f", "é", "a\x00", "\x1f"} {
		requireProblem(t, CheckIdempotencyKey(key), "Idempotency-Key", "must be 1 to 255 printable ASCII characters")
	}
}

func TestFieldError_At(t *testing.T) {
	_, err := ParseMoney("0.001", "EUR")
	var fault *FieldError
	require.ErrorAs(t, err, &fault)
	moved := fault.At("openingBalance")
	require.EqualError(t, moved, "openingBalance must not have more than the 2 decimals of EUR")
	require.ErrorIs(t, moved, ErrAmountDecimals)
	require.Equal(t, "amount", fault.Field)
}
