package takeover

import (
	"crypto/sha256"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// eventID is the id of our event, made from the original's, so that a run that
// goes on, or another one, gives the same. It is a UUID of version 8 (RFC 9562,
// section 5.8), as the ids of other events are UUIDs.
func eventID(r *record) string {
	sum := sha256.Sum256(append([]byte("passbook takeover "), r.id[:]...))
	b := sum[:16]
	b[6] = b[6]&0x0f | 0x80
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// causation says which event of the original led to ours, with what the original
// knew of it and we number, time or write otherwise:
//
//	mongodb:eventStore/65f0c1d2e3f4a5b6c7d8e9f0?version=3&timeStamp=2026-11-22T06:23:01.949Z
//
// and, where a rule changed the event, its amount there and the rules.
func causation(r *record, applied []string) string {
	query := make([]string, 0, 4)
	if r.version >= 0 {
		query = append(query, "version="+strconv.FormatInt(r.version, 10))
	}
	if !r.time.IsZero() {
		query = append(query, "timeStamp="+r.time.Format(time.RFC3339Nano))
	}
	if len(applied) > 0 {
		if r.amount.text != "" {
			query = append(query, "amount="+url.QueryEscape(r.amount.text))
		}
		query = append(query, "rules="+strings.Join(applied, ","))
	}
	return "mongodb:eventStore/" + r.idText + "?" + strings.Join(query, "&")
}
