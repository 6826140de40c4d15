package commandapi

import (
	"crypto/sha256"
	"strconv"
)

// requestHash tells whether two requests with one idempotency key ask for the
// same: by method, path, If-Match and content. The content is what was read from
// the body and not its bytes, so that white space, the order of members, members
// that nobody reads and 100.1 for 100.10 make no difference.
//
// Hashes are kept in the store for ever: what a route passes, and how it is put
// together here, can never change.
func requestHash(method, path, ifMatch string, content ...string) []byte {
	h := sha256.New()
	for _, part := range append([]string{method, path, ifMatch}, content...) {
		// With its length in front no part can flow into the next.
		h.Write(strconv.AppendInt(nil, int64(len(part)), 10))
		h.Write([]byte(":" + part))
	}
	return h.Sum(nil)
}
