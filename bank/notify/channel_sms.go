package notify

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"text/template"
)

// defaultSMSTemplate is the body of a request where none is set.
const defaultSMSTemplate = `{"to":{{json .To}},"text":{{json .Text}}}`

// sms sends each notification as a text message, through a gateway that takes
// them over HTTP. The notification's id goes along as Idempotency-Key.
type sms struct {
	url         string
	template    *template.Template
	contentType string
	// header and value authenticate; empty for a gateway that wants nothing.
	header, value string
	client        *http.Client
}

// smsFields is what a template may name.
type smsFields struct {
	// To is the phone number as it was given at the opening; Text the sentence.
	To, Text string
	// ID is that of the notification.
	ID        string
	AccountID string
	Kind      string
}

func newSMS(u *url.URL, t *template.Template, contentType, header, value string) *sms {
	return &sms{url: u.String(), template: t, contentType: contentType, header: header, value: value, client: newHTTPClient()}
}

// parseSMSTemplate reads the template of a request's body, and returns it with the
// content type of what it makes: JSON or a form. Text of a customer that ended a
// string too early could change what the gateway is told, and so a template that
// lets it do that is refused.
func parseSMSTemplate(text string) (t *template.Template, contentType string, err error) {
	t, err = template.New("body").Option("missingkey=error").Funcs(template.FuncMap{"json": jsonText}).Parse(text)
	if err != nil {
		return nil, "", errors.New(strings.TrimPrefix(err.Error(), "template: "))
	}
	plain, err := render(t, smsFields{To: "+491701234567", Text: "text", ID: "id", AccountID: "a1", Kind: "OPENED"})
	if err != nil {
		return nil, "", err
	}
	hostile, err := render(t, smsFields{To: `"<&x=+ `, Text: `"<&x=+ `, ID: "id", AccountID: "a1", Kind: "OPENED"})
	if err != nil {
		return nil, "", err
	}
	if json.Valid(plain) {
		if !json.Valid(hostile) {
			return nil, "", errors.New(`a quote in the text would break the JSON: write {{json .To}} and {{json .Text}}, without quotes around them`)
		}
		return t, "application/json", nil
	}
	if strings.HasPrefix(strings.TrimSpace(text), "{\"") {
		return nil, "", errors.New("what it makes is not JSON: write {{json .To}} and {{json .Text}}, without quotes around them")
	}
	before, errBefore := url.ParseQuery(string(plain))
	after, errAfter := url.ParseQuery(string(hostile))
	if errBefore != nil || errAfter != nil || !sameNames(before, after) {
		return nil, "", errors.New("what it makes is neither JSON nor a safe form: write to={{urlquery .To}}&text={{urlquery .Text}}")
	}
	return t, "application/x-www-form-urlencoded", nil
}

// sameNames tells whether two forms have the same fields, each once.
func sameNames(a, b url.Values) bool {
	for name := range b {
		if len(a[name]) != 1 || len(b[name]) != 1 {
			return false
		}
	}
	return len(a) == len(b)
}

func jsonText(s string) (string, error) {
	text, err := json.Marshal(s)
	return string(text), err
}

func render(t *template.Template, fields smsFields) ([]byte, error) {
	var body bytes.Buffer
	if err := t.Execute(&body, fields); err != nil {
		return nil, errors.New(strings.TrimPrefix(err.Error(), "template: "))
	}
	return body.Bytes(), nil
}

// namedHeader is the form NAME: VALUE, where a gateway wants another header than
// Authorization.
var namedHeader = regexp.MustCompile(`^([A-Za-z0-9-]+): *(.*)$`)

// parseSMSAuth returns the header that authenticates. The error does not repeat
// what was set.
func parseSMSAuth(text string) (header, value string, err error) {
	if strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' }) {
		return "", "", errors.New("a header has printable ASCII characters only")
	}
	if parts := namedHeader.FindStringSubmatch(text); parts != nil {
		return parts[1], parts[2], nil
	}
	return "Authorization", text, nil
}

// Name implements Channel.
func (*sms) Name() string { return "sms" }

// Address implements Channel.
func (*sms) Address(c Contact) (string, bool) { return c.Phone, c.Phone != "" }

// Send implements Channel.
func (s *sms) Send(ctx context.Context, n Notification) error {
	body, err := render(s.template, smsFields{To: n.Address, Text: n.Text(), ID: n.ID, AccountID: n.AccountID, Kind: string(n.Kind)})
	if err != nil {
		return fmt.Errorf("%w: %w", ErrRefused, err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url, bytes.NewReader(body))
	if err != nil {
		return errors.New("its URL cannot be used")
	}
	request.Header.Set("Content-Type", s.contentType)
	request.Header.Set("Idempotency-Key", n.ID)
	if s.value != "" {
		request.Header.Set(s.header, s.value)
	}
	return post(s.client, request)
}
