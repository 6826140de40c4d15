package legacy

import (
	"strconv"
	"strings"
)

// double writes a decimal as Java's Double.toString writes the nearest double:
// the shortest digits that give it back, with one decimal at least, and from ten
// million on, and below a thousandth, as 1.0E7.
func double(decimal string) (string, error) {
	f, err := strconv.ParseFloat(decimal, 64)
	if err != nil {
		return "", err //nolint:wrapcheck // it names the text and what is wrong with it
	}
	if f == 0 || f >= 1e-3 && f < 1e7 || f <= -1e-3 && f > -1e7 {
		return withPoint(strconv.FormatFloat(f, 'f', -1, 64)), nil
	}
	mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(f, 'e', -1, 64), "e")
	e, err := strconv.Atoi(exponent)
	if err != nil {
		return "", err //nolint:wrapcheck // it cannot be
	}
	return withPoint(mantissa) + "E" + strconv.Itoa(e), nil
}

func withPoint(digits string) string {
	if strings.Contains(digits, ".") {
		return digits
	}
	return digits + ".0"
}
