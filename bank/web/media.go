package web

import (
	"mime"
	"net/http"
	"strings"
)

// bodyBytesMax is the largest body that is read: 64 KiB, some hundred times a
// command's size.
const bodyBytesMax = 64 << 10

// checkBody refuses by the headers alone what need not be read. A request
// without a body passes: whether one is needed is the operation's affair.
func checkBody(r *http.Request) *Problem {
	if r.ContentLength == 0 {
		return nil
	}
	if !isJSON(r.Header["Content-Type"]) {
		return UnsupportedMediaType("send the body as Content-Type: application/json in UTF-8")
	}
	if coding := r.Header.Get("Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
		return UnsupportedMediaType("send the body without a Content-Encoding")
	}
	if r.ContentLength > bodyBytesMax {
		return bodyTooLarge()
	}
	return nil
}

func bodyTooLarge() *Problem { return TooLarge("a body has 64 KiB at most") }

// isJSON takes application/json and application/…+json, in UTF-8. A body
// without a content type is not taken for JSON: a form that another site's page
// sends carries none, and the original answers 415 as well.
func isJSON(contentType []string) bool {
	if len(contentType) != 1 {
		return false
	}
	if contentType[0] == "application/json" {
		return true
	}
	media, params, err := mime.ParseMediaType(contentType[0])
	if err != nil {
		return false
	}
	if charset, ok := params["charset"]; ok && !strings.EqualFold(charset, "utf-8") {
		return false
	}
	return media == "application/json" ||
		strings.HasPrefix(media, "application/") && strings.HasSuffix(media, "+json")
}
