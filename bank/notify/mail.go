package notify

import (
	"bytes"
	"errors"
	"fmt"
	"mime"
	"mime/quotedprintable"
	"net/mail"
	"strings"
	"time"
)

// mailText returns a notification as a message of RFC 5322. Whatever stands in a
// header is either ours, was parsed as an address, or is encoded as a word, so
// that no text can end its line. The Message-ID is made of the notification's id:
// readers that get it twice can show it once.
func mailText(n Notification, from, to *mail.Address, now time.Time) ([]byte, error) {
	var text bytes.Buffer
	header := func(name, value string) { fmt.Fprintf(&text, "%s: %s\r\n", name, value) }
	header("From", from.String())
	header("To", to.String())
	header("Subject", mime.QEncoding.Encode("utf-8", n.Subject()))
	header("Date", now.Format(time.RFC1123Z))
	header("Message-ID", "<"+n.ID+"@"+domainOf(from)+">")
	header("MIME-Version", "1.0")
	header("Content-Type", "text/plain; charset=utf-8")
	header("Content-Transfer-Encoding", "quoted-printable")
	header("Auto-Submitted", "auto-generated") // no answers from absent people, please
	text.WriteString("\r\n")
	body := quotedprintable.NewWriter(&text)
	salutation := ""
	if n.Holder != "" {
		salutation = "Dear " + n.Holder + ",\r\n\r\n"
	}
	if _, err := body.Write([]byte(salutation + n.Text() + "\r\n")); err != nil {
		return nil, err
	}
	if err := body.Close(); err != nil {
		return nil, err
	}
	return text.Bytes(), nil
}

// domainOf is what stands behind the @, which every parsed address has.
func domainOf(a *mail.Address) string { return a.Address[strings.LastIndexByte(a.Address, '@')+1:] }

// parseMailAddress reads one address and drops the name beside it: a customer's
// name comes from the account.
func parseMailAddress(text string) (*mail.Address, error) {
	parsed, err := mail.ParseAddress(text)
	if err != nil {
		return nil, err
	}
	return &mail.Address{Address: parsed.Address}, nil
}

// parseSender reads the address that mails are from, with a name or without. What
// stands behind the @ goes into Message-IDs, and so has to be a plain name.
func parseSender(text string) (*mail.Address, error) {
	a, err := mail.ParseAddress(text)
	if err != nil {
		return nil, errors.New("want an address such as bank@example.com or Bank <bank@example.com>")
	}
	for _, c := range []byte(domainOf(a)) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '.':
		default:
			return nil, errors.New("what stands behind the @ has to be a domain in ASCII, such as example.com")
		}
	}
	return a, nil
}
