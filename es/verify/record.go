package verify

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"passbook/es/bus"
	"passbook/es/event"
)

// recordFaults says what of a record is not as it is when the relay publishes
// that event: to the byte, and the time to the millisecond, which is all that
// records keep of it.
func recordFaults(history string, r bus.Message, e event.Envelope) string {
	want := bus.Encode(history, e)
	var faults []string
	if r.Key != want.Key {
		faults = append(faults, fmt.Sprintf("key is %q, want %q", r.Key, want.Key))
	}
	if !bytes.Equal(r.Value, want.Value) {
		faults = append(faults, fmt.Sprintf("payload is %s, in the store %s", excerpt(r.Value), excerpt(want.Value)))
	}
	if !slices.Equal(r.Headers, want.Headers) {
		faults = append(faults, headerFaults(r, want)...)
	}
	if r.Time.UnixMilli() != want.Time.UnixMilli() {
		faults = append(faults, fmt.Sprintf("time is %s, in the store %s", r.Time.UTC(), want.Time.UTC()))
	}
	return strings.Join(faults, "; ")
}

func headerFaults(r, want bus.Message) (faults []string) {
	for _, h := range want.Headers {
		switch value, ok := r.Header(h.Key); {
		case !ok:
			faults = append(faults, fmt.Sprintf("header %s is missing, want %q", h.Key, h.Value))
		case value != h.Value:
			faults = append(faults, fmt.Sprintf("header %s is %q, in the store %q", h.Key, value, h.Value))
		}
	}
	for _, h := range r.Headers {
		if _, ok := want.Header(h.Key); !ok {
			faults = append(faults, fmt.Sprintf("header %s is there with %q, the event has none", h.Key, h.Value))
		}
	}
	if len(faults) == 0 {
		faults = append(faults, "headers are repeated, or in another order")
	}
	return faults
}

// excerptMax is how much of a payload a difference shows.
const excerptMax = 200

func excerpt(data []byte) string {
	if len(data) > excerptMax {
		return fmt.Sprintf("%q… (%d bytes)", data[:excerptMax], len(data))
	}
	return fmt.Sprintf("%q", data)
}
