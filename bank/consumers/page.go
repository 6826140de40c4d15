package consumers

import (
	"encoding/base64"
	"encoding/json"

	"passbook/bank/web"
)

// place is where a walk through a list goes on, and of which list.
type place struct {
	List     string `json:"l"`
	Consumer string `json:"c"`
	Stream   string `json:"s"`
	Version  int64  `json:"v,omitempty"`
	EventID  string `json:"e,omitempty"`
}

// token returns a place as a client gets it.
func (p place) token() (string, error) {
	text, err := json.Marshal(p)
	return base64.RawURLEncoding.EncodeToString(text), err
}

// parse reads the token of a walk through the list that p names; an empty one
// begins it.
func (p place) parse(token string) (place, error) {
	if token == "" {
		return p, nil
	}
	var at place
	text, err := base64.RawURLEncoding.DecodeString(token)
	if err == nil {
		err = json.Unmarshal(text, &at)
	}
	if err != nil || at.List != p.List || at.Consumer != p.Consumer {
		return place{}, web.InvalidField("pageToken", "must be the nextPageToken of an answer to the same question")
	}
	return at, nil
}

// cut takes a page that was asked for with one more than size elements: the last one shows
// that there is another page, and does not belong to this one.
func cut[T any](page []T, size int64) (elements []T, more bool) {
	if int64(len(page)) > size {
		return page[:size], true
	}
	return page, false
}
