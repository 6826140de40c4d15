package archive

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"unicode/utf8"
)

// text is a string that may hold any bytes.
type text string

type encodedText struct {
	Base64 []byte `json:"base64"`
}

// UnmarshalJSON reads a string, or the form for what is no UTF-8.
func (t *text) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '{' {
		var encoded encodedText
		if err := json.Unmarshal(b, &encoded); err != nil {
			return err
		}
		*t = text(encoded.Base64)
		return nil
	}
	var plain *string
	if err := json.Unmarshal(b, &plain); err != nil {
		return err
	}
	if plain == nil {
		return errors.New("null stands where a text is wanted")
	}
	*t = text(*plain)
	return nil
}

// appendText writes a text. Texts are short, and most are plain ASCII.
func appendText(b []byte, s string) []byte {
	if isPlain(s) {
		b = append(b, '"')
		b = append(b, s...)
		return append(b, '"')
	}
	if !utf8.ValidString(s) {
		b = append(b, `{"base64":`...)
		return append(appendBase64(b, []byte(s)), '}')
	}
	var quoted bytes.Buffer
	encoder := json.NewEncoder(&quoted)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(s) //nolint:errchkjson // a string in UTF-8, into memory: there is nothing to go wrong
	return append(b, bytes.TrimSuffix(quoted.Bytes(), []byte("\n"))...)
}

func isPlain(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}

func appendBase64(b, data []byte) []byte {
	b = append(b, '"')
	b = base64.StdEncoding.AppendEncode(b, data)
	return append(b, '"')
}

// bracketsMax bounds how deep JSON in a line can be nested: decoders have a limit.
const bracketsMax = 1000

// isRaw tells whether data can stand in a line as it is, and is read back as it
// was: JSON on one line without space around it.
func isRaw(data []byte) bool {
	return len(data) > 0 && data[0] > ' ' && data[len(data)-1] > ' ' &&
		bytes.IndexByte(data, '\n') < 0 && bytes.IndexByte(data, '\r') < 0 &&
		bytes.Count(data, []byte("["))+bytes.Count(data, []byte("{")) <= bracketsMax &&
		utf8.Valid(data) && json.Valid(data)
}

// appendBytes writes the member name with data as it is, or the member
// nameBase64.
func appendBytes(b []byte, name string, data []byte) []byte {
	b = append(b, `,"`...)
	b = append(b, name...)
	if isRaw(data) {
		b = append(b, `":`...)
		return append(b, data...)
	}
	b = append(b, `Base64":`...)
	return appendBase64(b, data)
}

// chosen returns the one of both forms that was there.
func chosen(raw json.RawMessage, encoded []byte) []byte {
	if raw != nil {
		return raw
	}
	return encoded
}
