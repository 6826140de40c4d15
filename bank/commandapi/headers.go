package commandapi

import (
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	contract "passbook/contract/account"
	"passbook/es/command"
	"passbook/es/event"
)

// RequestHeaders is what a command may bring beside its path and body. It is
// embedded in the inputs of all routes, and exported for one reason: the router
// fills in no others.
type RequestHeaders struct {
	IdempotencyKey string `header:"Idempotency-Key" doc:"Makes the command happen once: 1 to 255 printable ASCII characters."`
	IfMatch        string `header:"If-Match" doc:"The version that the account must have, as in its ETag: \"3\"; * is any."`
	CorrelationID  string `header:"X-Correlation-Id" doc:"Goes with the events: 1 to 128 of A-Z a-z 0-9 . _ : -. Without, one is made."`
	TraceParent    string `header:"traceparent" doc:"W3C trace context; goes with the events."`

	expected *int64 // the version that If-Match names
}

const (
	keyHeader     = "Idempotency-Key"
	ifMatchHeader = "If-Match"
	anyVersion    = "*"
)

// Resolve implements [huma.Resolver]: it refuses what must not be passed over.
// A key that is empty or stands twice would leave the client believing that it
// may safely try again.
func (h *RequestHeaders) Resolve(ctx huma.Context) []error {
	keys, matches := 0, 0
	ctx.EachHeader(func(name, _ string) {
		switch name {
		case keyHeader:
			keys++
		case ifMatchHeader:
			matches++
		}
	})
	faults := keyFaults(keys, h.IdempotencyKey)
	if matches > 0 && h.IfMatch != anyVersion {
		version, ok := parseETag(h.IfMatch)
		if matches > 1 || !ok {
			faults = append(faults, headerFault(ifMatchHeader, `must be one version in quotes, such as "3", or *`))
		}
		h.expected = &version
	}
	return faults
}

// keyFaults judges an Idempotency-Key that was sent so many times.
func keyFaults(times int, key string) []error {
	if times > 0 && (times > 1 || contract.CheckIdempotencyKey(key) != nil) {
		return []error{headerFault(keyHeader, "must be 1 to 255 printable ASCII characters, and be sent once")}
	}
	return nil
}

func headerFault(name, problem string) error {
	return &huma.ErrorDetail{Location: "header." + name, Message: problem}
}

// circumstances words the headers for a command that actor gives.
func (h *RequestHeaders) circumstances(actor event.Actor) command.Circumstances {
	how := command.Circumstances{
		ID:              event.NewID(),
		CorrelationID:   h.CorrelationID,
		Actor:           actor,
		ExpectedVersion: h.expected,
	}
	if !isCorrelationID(how.CorrelationID) {
		how.CorrelationID = event.NewID()
	}
	if isTraceParent(h.TraceParent) {
		how.TraceParent = h.TraceParent
	}
	if h.IdempotencyKey != "" {
		how.Key = event.Key{Client: string(actor), Value: h.IdempotencyKey}
	}
	return how
}

// expectAbsent adjusts an opening's circumstances to If-Match: *, which wants an
// account that is there already. This one is not: the lowest version that an
// account can have is wrong for it.
func (h *RequestHeaders) expectAbsent(how *command.Circumstances) {
	if h.IfMatch == anyVersion {
		how.ExpectedVersion = new(int64)
	}
}

// AnswerHeaders goes with every success. It is exported for the reason that
// [RequestHeaders] is.
type AnswerHeaders struct {
	ETag     string `header:"ETag" doc:"The account's version after the command, in quotes."`
	Replayed string `header:"Idempotent-Replayed" enum:"true" doc:"There if this is the answer of an earlier request with the same key."`
}

func answerHeaders(result command.Result) AnswerHeaders {
	h := AnswerHeaders{ETag: formatETag(result.Version)}
	if result.Replayed {
		h.Replayed = "true"
	}
	return h
}

func formatETag(version int64) string { return `"` + strconv.FormatInt(version, 10) + `"` }

// parseETag takes exactly what formatETag makes: a weak tag, or a number that is
// written otherwise, is none that this service has given out.
func parseETag(tag string) (version int64, ok bool) {
	version, err := strconv.ParseInt(strings.Trim(tag, `"`), 10, 64)
	return version, err == nil && version >= 0 && tag == formatETag(version)
}

// isCorrelationID bounds what goes into events, logs and headers of Kafka.
func isCorrelationID(id string) bool {
	const lengthMax = 128
	for i := range len(id) {
		switch c := id[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case c == '.', c == '_', c == ':', c == '-':
		default:
			return false
		}
	}
	return id != "" && len(id) <= lengthMax
}

// isTraceParent takes the form that all versions of the W3C trace context have
// in common: version, trace id, span id and flags in lower-case hexadecimal.
func isTraceParent(s string) bool {
	const form = "00-00000000000000000000000000000000-0000000000000000-00"
	if len(s) != len(form) {
		return false
	}
	for i := range len(s) {
		c := s[i]
		switch {
		case form[i] == '-' && c != '-':
			return false
		case form[i] == '0' && (c < '0' || '9' < c) && (c < 'a' || 'f' < c):
			return false
		}
	}
	version, trace, span := s[:2], s[3:35], s[36:52]
	return version != "ff" && strings.Trim(trace, "0") != "" && strings.Trim(span, "0") != ""
}
