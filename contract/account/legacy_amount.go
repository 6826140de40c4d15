package account

import (
	"encoding/json"
	"strings"
)

// ParseLegacyAmount reads the amount of a version-1 request from its raw JSON:
// a number literal as Java and JavaScript clients write doubles (50, 50.0,
// 1.0E7), or a string with such a literal in it ("12.5"). Zeros at the end do
// not count as decimals (50.0 is fine in JPY, 100.10 in EUR), any other digit
// that c cannot express is refused, never rounded. NaN, infinities, null and
// everything else that is no number are refused; negative amounts are given
// back as such.
//
// Errors are those of ParseAmount. Time and memory are bounded by the length of
// raw, whatever exponent it names.
func ParseLegacyAmount(raw string, c Currency) (Money, error) {
	if len(raw) > amountLengthMax {
		return Money{}, amountLength()
	}
	text := raw
	if strings.HasPrefix(raw, `"`) {
		if err := json.Unmarshal([]byte(raw), &text); err != nil {
			return Money{}, legacySyntax()
		}
	}
	n, ok := scanNumber(text)
	if !ok {
		return Money{}, legacySyntax()
	}
	return n.money(c)
}

func legacySyntax() *FieldError {
	return &FieldError{
		Field:   "amount",
		Problem: "must be a number such as 12.5",
		Err:     ErrAmountSyntax,
	}
}

// LegacyNumber is the amount as the JSON number of version-1 answers: exact,
// with at least one decimal, without further zeros at the end, and never in
// scientific notation: 50.0, 137.3, 10000000.0; 50.0 also in JPY.
// ParseLegacyAmount reads it back to the same Money.
func (m Money) LegacyNumber() string {
	whole, fraction, _ := strings.Cut(m.Amount(), ".")
	fraction = strings.TrimRight(fraction, "0")
	if fraction == "" {
		fraction = "0"
	}
	return whole + "." + fraction
}
