package notify

import (
	"context"
	"errors"
	"strings"
)

// Channel is a way to customers. Its methods are safe for concurrent use.
type Channel interface {
	// Name is what settings, API and metrics call the channel. It is stored with
	// every notification, so it is never changed.
	Name() string
	// Address returns where on this channel an account's holder is reached. If
	// there is no way to reach the holder, nothing is recorded for the channel.
	Address(contact Contact) (address string, ok bool)
	// Send returns nil once the notification was taken over by whoever is next on
	// its way. It ends soon after ctx does, and may be called again with the same
	// notification after any outcome. An error that wraps ErrRefused means that
	// trying again is of no use. The text of an error is stored and shown to
	// operators: it is one line and names no secret.
	Send(ctx context.Context, n Notification) error
}

// Contact is what is known of an account's holder; empty members are unknown.
type Contact struct{ Phone, Email string }

// Notification is what a channel sends.
type Notification struct {
	// ID is the same at each attempt.
	ID string
	// Address is what Channel.Address returned when the event was recorded.
	Address string
	Message
}

// ErrRefused is wrapped by the errors of notifications that can never be sent.
var ErrRefused = errors.New("refused")

// errorTextMax is how much of an error is kept, in bytes.
const errorTextMax = 300

// errorText is one line of printable text: some of it may be what a server said.
func errorText(err error) string {
	text := strings.Join(strings.FieldsFunc(err.Error(), func(r rune) bool { return r <= ' ' || r == 0x7f }), " ")
	text = strings.ToValidUTF8(text, "?")
	if len(text) > errorTextMax {
		text = strings.ToValidUTF8(text[:errorTextMax], "") + "…"
	}
	return text
}
