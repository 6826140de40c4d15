package notify

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// webhook posts each notification to one address, signed after the Standard
// Webhooks specification. webhook-id is the notification's id, and so the same at
// each attempt.
type webhook struct {
	url    string
	secret []byte
	client *http.Client
	now    func() time.Time
}

// webhookSecretMin is the least number of bytes in a secret.
const webhookSecretMin = 16

// parseWebhookSecret reads whsec_ and base64. The error does not repeat it.
func parseWebhookSecret(text string) ([]byte, error) {
	const advice = "want whsec_ followed by 24 to 64 random bytes in base64, such as whsec_$(openssl rand -base64 32)"
	encoded, ok := strings.CutPrefix(text, "whsec_")
	if !ok {
		return nil, errors.New("it does not begin with whsec_: " + advice)
	}
	secret, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(encoded, "="))
	switch {
	case err != nil:
		return nil, errors.New("what follows whsec_ is not base64: " + advice)
	case len(secret) < webhookSecretMin:
		return nil, fmt.Errorf("it has %d bytes, which can be guessed: %s", len(secret), advice)
	}
	return secret, nil
}

func newWebhook(u *url.URL, secret []byte) *webhook {
	return &webhook{url: u.String(), secret: secret, client: newHTTPClient(), now: time.Now}
}

// Name implements Channel.
func (*webhook) Name() string { return "webhook" }

// Address implements Channel: all notifications go to the one address.
func (*webhook) Address(Contact) (string, bool) { return "", true }

// webhookBody is what is posted. Receivers may rely on its members; new ones may
// come.
type webhookBody struct {
	Type string `json:"type"`
	// Timestamp is when it happened, not when it was sent.
	Timestamp time.Time   `json:"timestamp"`
	Data      webhookData `json:"data"`
}

type webhookData struct {
	Message
	Text string `json:"text"`
}

// Send implements Channel.
func (w *webhook) Send(ctx context.Context, n Notification) error {
	body, err := json.Marshal(webhookBody{
		Type: "account." + strings.ToLower(string(n.Kind)), Timestamp: n.Time,
		Data: webhookData{Message: n.Message, Text: n.Text()},
	})
	if err != nil {
		return fmt.Errorf("%w: %w", ErrRefused, err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, w.url, bytes.NewReader(body))
	if err != nil {
		return errors.New("its URL cannot be used")
	}
	timestamp := strconv.FormatInt(w.now().Unix(), 10)
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("webhook-id", n.ID)
	request.Header.Set("webhook-timestamp", timestamp)
	request.Header.Set("webhook-signature", "v1,"+w.sign(n.ID, timestamp, body))
	return post(w.client, request)
}

func (w *webhook) sign(id, timestamp string, body []byte) string {
	mac := hmac.New(sha256.New, w.secret)
	mac.Write([]byte(id + "." + timestamp + "."))
	mac.Write(body)
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
