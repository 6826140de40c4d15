package notify

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
)

// Settings are the channels as they are set; empty texts are unset. Each field is
// the environment variable of its name with PASSBOOK_NOTIFY_ before it:
// PASSBOOK_NOTIFY_WEBHOOK_URL.
type Settings struct {
	// Channels are names, separated by commas: log, webhook, smtp, sms. Unset:
	// log. What is set for channels that are not named is not looked at.
	Channels string
	// WebhookURL gets every notification; WebhookSecret, whsec_ and base64, signs
	// them.
	WebhookURL, WebhookSecret string
	// SMTPURL is smtp://user:password@host:port or smtps://…, SMTPFrom the address
	// of the sender, with a name or without.
	SMTPURL, SMTPFrom string
	// SMSURL is that of a gateway. SMSTemplate makes the body of a request, see
	// text/template; it may use .To, .Text, .ID, .AccountID and .Kind, and the
	// functions json and urlquery. SMSAuth is the value of the header
	// Authorization, or NAME: VALUE for another.
	SMSURL, SMSTemplate, SMSAuth string
}

// variablePrefix stands before the names of all settings.
const variablePrefix = "PASSBOOK_NOTIFY_"

// ParseChannels makes the channels that are set. The error has one line for each
// fault, which names its variable and never a secret. The log is that of the log
// channel: its lines get out whatever level it has.
func ParseChannels(s Settings, log *slog.Logger) ([]Channel, error) {
	makers := map[string]func() (Channel, error){
		"log":     func() (Channel, error) { return logChannel{log: log}, nil },
		"webhook": s.webhook,
		"smtp":    s.smtp,
		"sms":     s.sms,
	}
	var channels []Channel
	var faults []error
	var names []string
	for name := range strings.SplitSeq(s.Channels, ",") {
		if name = strings.TrimSpace(name); name == "" || slices.Contains(names, name) {
			continue
		}
		names = append(names, name)
		build, ok := makers[name]
		if !ok {
			faults = append(faults, wrong("CHANNELS", fmt.Errorf("%q is no channel: want some of log, webhook, smtp, sms", name)))
			continue
		}
		channel, err := build()
		faults = append(faults, err)
		channels = append(channels, channel)
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	if len(channels) == 0 {
		channels = []Channel{logChannel{log: log}}
	}
	return channels, nil
}

// wrong names the variable that is wrong.
func wrong(variable string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s%s: %w", variablePrefix, variable, err)
}

// needed is the fault of a setting that a channel cannot do without.
func needed(channel string) error {
	return fmt.Errorf("it must be set for channel %s: set it, or take the channel out of %sCHANNELS", channel, variablePrefix)
}

func (s Settings) webhook() (Channel, error) {
	u, errURL := parseHTTPURL(s.WebhookURL)
	if s.WebhookURL == "" {
		errURL = needed("webhook")
	}
	secret, errSecret := parseWebhookSecret(s.WebhookSecret)
	if s.WebhookSecret == "" {
		errSecret = needed("webhook")
	}
	if err := errors.Join(wrong("WEBHOOK_URL", errURL), wrong("WEBHOOK_SECRET", errSecret)); err != nil {
		return nil, err
	}
	return newWebhook(u, secret), nil
}

func (s Settings) smtp() (Channel, error) {
	channel, errURL := parseSMTPURL(s.SMTPURL)
	if s.SMTPURL == "" {
		errURL = needed("smtp")
	}
	from, errFrom := parseSender(s.SMTPFrom)
	if s.SMTPFrom == "" {
		errFrom = needed("smtp")
	}
	if err := errors.Join(wrong("SMTP_URL", errURL), wrong("SMTP_FROM", errFrom)); err != nil {
		return nil, err
	}
	channel.from = from
	return channel, nil
}

func (s Settings) sms() (Channel, error) {
	u, errURL := parseHTTPURL(s.SMSURL)
	if s.SMSURL == "" {
		errURL = needed("sms")
	}
	text := s.SMSTemplate
	if text == "" {
		text = defaultSMSTemplate
	}
	template, contentType, errTemplate := parseSMSTemplate(text)
	header, value, errAuth := parseSMSAuth(s.SMSAuth)
	if err := errors.Join(wrong("SMS_URL", errURL), wrong("SMS_TEMPLATE", errTemplate), wrong("SMS_AUTH", errAuth)); err != nil {
		return nil, err
	}
	return newSMS(u, template, contentType, header, value), nil
}
