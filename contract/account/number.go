package account

import (
	"strconv"
	"strings"
)

// number is a decimal number cut into its parts, not yet put to a scale: the
// value is digits × 10^(exponent-fraction).
type number struct {
	negative    bool
	digits      string // before and behind the point, without the point
	fraction    int    // how many of them are behind the point
	exponent    int
	hasExponent bool
}

// exponentDigitsMax keeps the exponent within an int on every platform. What
// has more digits is no amount that anybody could mean.
const exponentDigitsMax = 9

// scanNumber accepts the grammar of JSON numbers and nothing else: no plus sign
// in front, no leading zeros, digits on both sides of the point. The caller
// bounds the length of text.
func scanNumber(text string) (n number, ok bool) {
	rest, negative := strings.CutPrefix(text, "-")
	whole, rest := cutDigits(rest)
	if whole == "" || (len(whole) > 1 && whole[0] == '0') {
		return number{}, false
	}
	n = number{negative: negative, digits: whole}
	if behind, ok := strings.CutPrefix(rest, "."); ok {
		var fraction string
		fraction, rest = cutDigits(behind)
		if fraction == "" {
			return number{}, false
		}
		n.digits += fraction
		n.fraction = len(fraction)
	}
	if rest == "" {
		return n, true
	}
	if rest[0] != 'e' && rest[0] != 'E' {
		return number{}, false
	}
	n.hasExponent = true
	n.exponent, ok = scanExponent(rest[1:])
	return n, ok
}

func scanExponent(text string) (exponent int, ok bool) {
	sign := 1
	if text != "" && (text[0] == '+' || text[0] == '-') {
		if text[0] == '-' {
			sign = -1
		}
		text = text[1:]
	}
	digits, rest := cutDigits(text)
	if digits == "" || rest != "" || len(digits) > exponentDigitsMax {
		return 0, false
	}
	exponent, err := strconv.Atoi(digits)
	return sign * exponent, err == nil
}

func cutDigits(text string) (digits, rest string) {
	i := 0
	for i < len(text) && '0' <= text[i] && text[i] <= '9' {
		i++
	}
	return text[:i], text[i:]
}

// money gives n in minor units of c, exactly. Zeros at both ends are taken off
// first and the size is known from counting digits, so an exponent of any size
// costs nothing: no power of ten is ever computed beyond the limit.
func (n number) money(c Currency) (Money, error) {
	if c.IsZero() {
		return NewMoney(0, c)
	}
	digits := strings.TrimLeft(n.digits, "0")
	significant := strings.TrimRight(digits, "0")
	if significant == "" {
		return Zero(c), nil
	}
	zeros := len(digits) - len(significant) + n.exponent - n.fraction + c.decimals
	if zeros < 0 {
		return Money{}, amountDecimals(c)
	}
	if len(significant)+zeros > integerDigitsMax+c.decimals {
		return Money{}, amountLimit(c)
	}
	minor, err := strconv.ParseInt(significant, 10, 64)
	if err != nil {
		return Money{}, amountLimit(c)
	}
	minor *= pow10(zeros)
	if n.negative {
		minor = -minor
	}
	return NewMoney(minor, c)
}
