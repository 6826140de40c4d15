package queryapi

import (
	"crypto/sha256"
	"encoding/base64"

	"github.com/go-json-experiment/json"

	"passbook/bank/web"
)

// A page token says where a page ended. It is opaque so that it may change: the
// first byte is the version of its form, then come a checksum and the place.
//
// The checksum is over the question too, so that a token is of use with the very
// filters and order that it was made for, and one that was cut or altered is not
// taken for a place. It keeps out mistakes and no one with bad intentions, who
// would gain nothing: a place is no secret, and any place may be asked for.
const (
	tokenVersion   = 1
	tokenSumBytes  = 8
	tokenBytesMax  = 4096
	tokenParameter = "pageToken"
)

// pageToken makes the token for a place in the answer to a question.
func pageToken(question, place any) (string, error) {
	where, err := json.Marshal(place)
	if err != nil {
		return "", err
	}
	sum, err := tokenSum(question, where)
	if err != nil {
		return "", err
	}
	token := append([]byte{tokenVersion}, sum...)
	return base64.RawURLEncoding.EncodeToString(append(token, where...)), nil
}

// readPageToken reads a token that was made for this question into place. The
// error is a problem.
func readPageToken(token string, question, place any) error {
	refused := web.InvalidField(tokenParameter,
		"is not a token of this query: take it from an answer as it is, and leave the other parameters as they were")
	decoded, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(token) > tokenBytesMax || len(decoded) <= 1+tokenSumBytes || decoded[0] != tokenVersion {
		return refused
	}
	where := decoded[1+tokenSumBytes:]
	sum, err := tokenSum(question, where)
	if err != nil {
		return err
	}
	if string(sum) != string(decoded[1:1+tokenSumBytes]) || json.Unmarshal(where, place) != nil {
		return refused
	}
	return nil
}

func tokenSum(question any, place []byte) ([]byte, error) {
	asked, err := json.Marshal(question)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(append(append(asked, 0), place...))
	return sum[:tokenSumBytes], nil
}
