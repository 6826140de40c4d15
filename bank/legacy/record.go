package legacy

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	contract "passbook/contract/account"
	"passbook/es/bus"
	"passbook/es/event"
)

// Topics are the names of the original's topics.
func Topics() []string {
	return []string{
		contract.LegacyTopicOpened, contract.LegacyTopicDeposited, contract.LegacyTopicWithdrawn, contract.LegacyTopicClosed,
	}
}

// encode returns the topic and the record that the original would publish for
// an event, but for the key: it has none there, and here the account's id, so
// that the records of an account keep their order within a topic.
//
// Doubles have room for 15 digits, which is every amount in currencies of up to
// three decimals. The original knows no currencies: only the number goes out.
func encode(codec *event.Codec, e event.Envelope) (topic string, m bus.Message, err error) {
	payload, err := codec.Decode(e.Type, e.Data)
	if err != nil {
		return "", bus.Message{}, fmt.Errorf("event %s (account %s, version %d): %w", e.ID, e.Stream, e.Version, err)
	}
	var class string
	value := newRecord(e)
	switch p := payload.(type) {
	case contract.Opened:
		topic, class = contract.LegacyTopicOpened, contract.LegacyClassOpened
		value.string("accountHolder", p.AccountHolder)
		value.string("accountType", string(p.AccountType))
		value.raw("createdDate", strconv.FormatInt(e.Time.UnixMilli(), 10))
		value.amount("openingBalance", p.OpeningBalance)
	case contract.Deposited:
		topic, class = contract.LegacyTopicDeposited, contract.LegacyClassDeposited
		value.amount("amount", p.Amount)
	case contract.Withdrawn:
		topic, class = contract.LegacyTopicWithdrawn, contract.LegacyClassWithdrawn
		value.amount("amount", p.Amount)
	case contract.Closed:
		topic, class = contract.LegacyTopicClosed, contract.LegacyClassClosed
	}
	if value.err != nil {
		return "", bus.Message{}, fmt.Errorf("event %s (account %s, version %d): %w", e.ID, e.Stream, e.Version, value.err)
	}
	return topic, bus.Message{
		Key:     e.Stream,
		Value:   append(value.text, '}'),
		Headers: []bus.Header{{Key: contract.LegacyTypeHeader, Value: class}},
	}, nil
}

// record is compact JSON with its members in the order in which they are
// written, which encoding/json promises for structs only.
type record struct {
	text []byte
	err  error
}

func newRecord(e event.Envelope) *record {
	r := &record{text: []byte("{")}
	r.string("id", e.Stream)
	r.raw("version", strconv.FormatInt(e.Version, 10))
	return r
}

func (r *record) raw(member, value string) {
	if len(r.text) > 1 {
		r.text = append(r.text, ',')
	}
	r.text = append(r.text, `"`+member+`":`+value...)
}

// string writes a text as Jackson does: nothing is escaped that need not be, but
// for characters that take two of Java's.
func (r *record) string(member, value string) {
	var quoted strings.Builder
	encoder := json.NewEncoder(&quoted)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		r.err = err
	}
	// encoding/json escapes two more characters, for the sake of JavaScript. A
	// backslash of the text itself stands there twice, and is passed over as such.
	unescape := strings.NewReplacer(`\\`, `\\`, `\u2028`, "\u2028", `\u2029`, "\u2029")
	r.raw(member, escapePairs(unescape.Replace(strings.TrimSpace(quoted.String()))))
}

// escapePairs writes each character beyond the first 65,536 as two escapes.
func escapePairs(text string) string {
	var escaped strings.Builder
	for _, character := range text {
		if high, low := utf16.EncodeRune(character); high != utf8.RuneError {
			fmt.Fprintf(&escaped, `\u%04X\u%04X`, high, low)
			continue
		}
		escaped.WriteRune(character)
	}
	return escaped.String()
}

func (r *record) amount(member string, m contract.Money) {
	number, err := double(m.Amount())
	if err != nil {
		r.err = err
	}
	r.raw(member, number)
}

// place is an event's place in its account, which every record tells.
type place struct {
	ID      string `json:"id"`
	Version int64  `json:"version"`
}

// placeOf reads a record of one of the topics, ours or the original's. A record
// that cannot be read tells nothing, and a consumer of the original fails on it
// whatever is done here.
func placeOf(value []byte) (place, bool) {
	p := place{Version: event.NoVersion}
	err := json.Unmarshal(value, &p)
	return p, err == nil && p.ID != "" && p.Version >= 0
}
