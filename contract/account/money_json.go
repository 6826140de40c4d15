package account

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// MarshalJSON writes {"amount":"12.50","currency":"EUR"}: members in this
// order, the amount as a string with exactly the currency's decimals, so that
// no reader passes it through a floating-point number. Money without a currency
// is an error.
func (m Money) MarshalJSON() ([]byte, error) {
	if m.currency.IsZero() {
		return nil, errors.New("money without a currency has no JSON form")
	}
	return []byte(`{"amount":"` + m.Amount() + `","currency":"` + m.currency.code + `"}`), nil
}

// UnmarshalJSON reads what MarshalJSON writes and nothing looser: both members
// and no other, each once and in this case, the amount with exactly the
// currency's decimals, so that what is decoded and encoded again is the same
// money in the same form. Order of members and white space are free.
//
// It is meant for payloads and records. A client may send fewer decimals than
// the currency has ("12.5", "12"): an API reads the two texts by its own rules
// and passes them to ParseMoney.
func (m *Money) UnmarshalJSON(data []byte) error {
	amount, code, ok := writtenMembers(data)
	if !ok {
		var err error
		if amount, code, err = moneyMembers(data); err != nil {
			return fmt.Errorf("money: %w", err)
		}
	}
	parsed, err := ParseMoney(amount, code)
	if err != nil {
		return fmt.Errorf("money: %w", err)
	}
	if parsed.Amount() != amount {
		return fmt.Errorf("money: %w", &FieldError{
			Field:   "amount",
			Problem: fmt.Sprintf("must be written with exactly %d decimals in %s", parsed.currency.decimals, code),
			Err:     ErrAmountSyntax,
		})
	}
	*m = parsed
	return nil
}

// writtenMembers takes the form that MarshalJSON writes apart without a JSON
// decoder, whose work would be most of that of decoding an event. It looks only
// at the frame: what else may stand between the quotes is no amount or no
// currency, and is refused as such. Escapes are left to the decoder.
func writtenMembers(data []byte) (amount, currency string, ok bool) {
	text, framed := strings.CutPrefix(string(data), `{"amount":"`)
	amount, text, divided := strings.Cut(text, `","currency":"`)
	currency, ended := strings.CutSuffix(text, `"}`)
	return amount, currency, framed && divided && ended && bytes.IndexByte(data, '\\') < 0
}

// moneyMembers reads token by token because decoding into a struct would take
// "Amount" for "amount" and the last of two repeated members without a word.
func moneyMembers(data []byte) (amount, currency string, err error) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	if token, err := decoder.Token(); err != nil || token != json.Delim('{') {
		return "", "", errors.New(`want an object {"amount","currency"}`)
	}
	members := make(map[string]string, 2)
	for decoder.More() {
		name, value, err := stringMember(decoder)
		if err != nil {
			return "", "", err
		}
		if name != "amount" && name != "currency" {
			return "", "", fmt.Errorf("unknown member %q", name)
		}
		if _, twice := members[name]; twice {
			return "", "", fmt.Errorf("member %q is repeated", name)
		}
		members[name] = value
	}
	if _, err := decoder.Token(); err != nil {
		return "", "", fmt.Errorf("the object has no end: %w", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return "", "", errors.New("there is more after the object")
	}
	if len(members) < 2 {
		return "", "", errors.New("amount and currency must both be given")
	}
	return members["amount"], members["currency"], nil
}

func stringMember(decoder *json.Decoder) (name, value string, err error) {
	token, err := decoder.Token()
	if err != nil {
		return "", "", err
	}
	name, _ = token.(string) // between members the decoder accepts nothing else
	token, err = decoder.Token()
	if err != nil {
		return "", "", err
	}
	value, ok := token.(string)
	if !ok {
		return "", "", fmt.Errorf("member %q must be a string", name)
	}
	return name, value, nil
}
