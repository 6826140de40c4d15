package account

import (
	"fmt"
	"unicode"
	"unicode/utf8"
)

// Greatest lengths, in characters (Unicode code points).
const (
	TextLengthMax           = 200
	AccountIDLengthMax      = 64
	IdempotencyKeyLengthMax = 255
)

// FieldError says which field of a request breaks which rule, so that an answer
// can name it. It never carries what the client sent.
type FieldError struct {
	// Field is the member's name on the wire, such as "accountHolder".
	Field string
	// Problem completes a sentence that starts with the field: "must not be blank".
	Problem string
	// Err is a sentinel of this package for faults that callers tell apart,
	// otherwise nil.
	Err error
}

// Error is a sentence without a full stop.
func (e *FieldError) Error() string { return e.Field + " " + e.Problem }

// Unwrap gives Err.
func (e *FieldError) Unwrap() error { return e.Err }

// At is the same fault under the name that the caller's request uses, for
// example "openingBalance" for an amount.
func (e *FieldError) At(field string) *FieldError {
	return &FieldError{Field: field, Problem: e.Problem, Err: e.Err}
}

// The Check functions return nil or a *FieldError. A value that breaks a rule
// is refused as it is: it is never trimmed, cut off or repaired. All of them
// refuse the empty string; what may be left out is not checked when it is.

// CheckAccountHolder allows 1 to 200 characters of text that is not blank and
// has no control characters.
func CheckAccountHolder(text string) error { return checkText("accountHolder", text) }

// CheckReference has the rules of CheckAccountHolder.
func CheckReference(text string) error { return checkText("reference", text) }

// CheckReason has the rules of CheckAccountHolder.
func CheckReason(text string) error { return checkText("reason", text) }

// CheckPhone has the rules of CheckAccountHolder. Whether a number can be
// reached is found out by the one who dials it.
func CheckPhone(text string) error { return checkText("phone", text) }

// CheckEmail has the rules of CheckAccountHolder, which keep line breaks out of
// mail headers. Whether an address can be reached is found out by the one who
// writes to it.
func CheckEmail(text string) error { return checkText("email", text) }

// CheckAccountID allows 1 to 64 of the characters A–Z, a–z, 0–9, '.', '_', '-',
// but neither "." nor "..": clients and proxies take these out of a path, so no
// request could ever name such an account.
func CheckAccountID(id string) error {
	valid := len(id) >= 1 && len(id) <= AccountIDLengthMax && id != "." && id != ".."
	for i := 0; valid && i < len(id); i++ {
		valid = isIDCharacter(id[i])
	}
	if !valid {
		return &FieldError{
			Field:   "accountId",
			Problem: fmt.Sprintf("must be 1 to %d of the characters A-Z a-z 0-9 . _ -, and neither . nor ..", AccountIDLengthMax),
		}
	}
	return nil
}

// CheckIdempotencyKey allows 1 to 255 printable ASCII characters, the space
// among them.
func CheckIdempotencyKey(key string) error {
	valid := len(key) >= 1 && len(key) <= IdempotencyKeyLengthMax
	for i := 0; valid && i < len(key); i++ {
		valid = ' ' <= key[i] && key[i] <= '~'
	}
	if !valid {
		return &FieldError{
			Field:   "Idempotency-Key",
			Problem: fmt.Sprintf("must be 1 to %d printable ASCII characters", IdempotencyKeyLengthMax),
		}
	}
	return nil
}

func checkText(field, text string) error {
	if !utf8.ValidString(text) {
		return &FieldError{Field: field, Problem: "must be valid UTF-8"}
	}
	if utf8.RuneCountInString(text) > TextLengthMax {
		return &FieldError{Field: field, Problem: fmt.Sprintf("must not be longer than %d characters", TextLengthMax)}
	}
	blank := true
	for _, r := range text {
		if breaksLine(r) {
			return &FieldError{Field: field, Problem: "must not contain control characters"}
		}
		// Characters without a picture of their own, such as the zero-width
		// space, are not graphic: a text of nothing else is blank to people.
		if unicode.IsGraphic(r) && !unicode.IsSpace(r) {
			blank = false
		}
	}
	if blank {
		return &FieldError{Field: field, Problem: "must not be blank"}
	}
	return nil
}

// breaksLine adds the two line breaks that Unicode counts as separators to its
// control characters: in a statement, a log line or a header they do the same.
func breaksLine(r rune) bool {
	return unicode.IsControl(r) || r == '\u2028' || r == '\u2029'
}

func isIDCharacter(b byte) bool {
	switch {
	case 'A' <= b && b <= 'Z', 'a' <= b && b <= 'z', '0' <= b && b <= '9':
		return true
	}
	return b == '.' || b == '_' || b == '-'
}
