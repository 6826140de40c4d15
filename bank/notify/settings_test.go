package notify_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"passbook/bank/notify"
)

func TestParseChannels(t *testing.T) {
	whole := notify.Settings{
		Channels: "sms, webhook,log ,smtp,log", WebhookURL: "https://example.com/hook", WebhookSecret: secret,
		SMTPURL: "smtp://mail.example.com", SMTPFrom: "Bänk <bank@example.com>", SMSURL: "https://example.com/sms",
	}
	channels, err := notify.ParseChannels(whole, quiet())
	require.NoError(t, err)
	var names []string
	for _, c := range channels {
		names = append(names, c.Name())
	}
	require.Equal(t, []string{"sms", "webhook", "log", "smtp"}, names)
	channels, err = notify.ParseChannels(notify.Settings{Channels: " ,", SMTPURL: "not looked at"}, quiet())
	require.NoError(t, err)
	require.Equal(t, "log", channels[0].Name())
}

func TestParseChannels_NamesEveryFault(t *testing.T) {
	_, err := notify.ParseChannels(notify.Settings{Channels: "pigeon,webhook,smtp,sms"}, quiet())
	require.EqualError(t, err, `PASSBOOK_NOTIFY_CHANNELS: "pigeon" is no channel: want some of log, webhook, smtp, sms
PASSBOOK_NOTIFY_WEBHOOK_URL: it must be set for channel webhook: set it, or take the channel out of PASSBOOK_NOTIFY_CHANNELS
PASSBOOK_NOTIFY_WEBHOOK_SECRET: it must be set for channel webhook: set it, or take the channel out of PASSBOOK_NOTIFY_CHANNELS
PASSBOOK_NOTIFY_SMTP_URL: it must be set for channel smtp: set it, or take the channel out of PASSBOOK_NOTIFY_CHANNELS
PASSBOOK_NOTIFY_SMTP_FROM: it must be set for channel smtp: set it, or take the channel out of PASSBOOK_NOTIFY_CHANNELS
PASSBOOK_NOTIFY_SMS_URL: it must be set for channel sms: set it, or take the channel out of PASSBOOK_NOTIFY_CHANNELS`)
}

func TestParseChannels_Refuses(t *testing.T) {
	good := notify.Settings{
		WebhookURL: "https://example.com/hook", WebhookSecret: secret, SMTPURL: "smtp://mail.example.com:25",
		SMTPFrom: "bank@example.com", SMSURL: "https://example.com/sms",
	}
	for _, c := range []struct {
		channel, want string
		change        func(s *notify.Settings)
	}{
		{"webhook", "WEBHOOK_URL: want a URL", func(s *notify.Settings) { s.WebhookURL = "ftp://hidden@x/" }},
		{"webhook", "WEBHOOK_URL: want a URL", func(s *notify.Settings) { s.WebhookURL = "https://hidden\x00" }},
		{"webhook", "WEBHOOK_URL: want a URL", func(s *notify.Settings) { s.WebhookURL = "https:///hidden" }},
		{"webhook", "WEBHOOK_URL: a URL to send to", func(s *notify.Settings) { s.WebhookURL = "https://example.com/#hidden" }},
		{"webhook", "WEBHOOK_SECRET: it does not begin", func(s *notify.Settings) { s.WebhookSecret = "hidden" }},
		{"webhook", "WEBHOOK_SECRET: what follows", func(s *notify.Settings) { s.WebhookSecret = "whsec_hidden!" }},
		{"webhook", "WEBHOOK_SECRET: it has 4 bytes", func(s *notify.Settings) { s.WebhookSecret = "whsec_hidden==" }},
		{"smtp", "SMTP_URL: want smtp://", func(s *notify.Settings) { s.SMTPURL = "http://hidden" }},
		{"smtp", "SMTP_URL: want smtp://", func(s *notify.Settings) { s.SMTPURL = "smtp://user:hidden%zz@mail" }},
		{"smtp", "SMTP_URL: nothing may follow", func(s *notify.Settings) { s.SMTPURL = "smtp://mail/hidden" }},
		{"smtp", "SMTP_FROM: want an address", func(s *notify.Settings) { s.SMTPFrom = "hidden" }},
		{"smtp", "SMTP_FROM: want an address", func(s *notify.Settings) { s.SMTPFrom = "a@example.com\r\nBcc: hidden@x" }},
		{"smtp", "SMTP_FROM: what stands behind", func(s *notify.Settings) { s.SMTPFrom = "a@[10.0.0.1]" }},
		{"sms", "SMS_URL: want a URL", func(s *notify.Settings) { s.SMSURL = "hidden" }},
		{"sms", "SMS_AUTH: a header has", func(s *notify.Settings) { s.SMSAuth = "hidden\r\nX: y" }},
		{"sms", "SMS_TEMPLATE: body:1", func(s *notify.Settings) { s.SMSTemplate = `{{.To` }},
		{"sms", "SMS_TEMPLATE: body:1", func(s *notify.Settings) { s.SMSTemplate = `{{.Phone}}` }},
		{"sms", "a quote in the text would break", func(s *notify.Settings) { s.SMSTemplate = `{"to":"{{.To}}"}` }},
		{"sms", "what it makes is not JSON", func(s *notify.Settings) { s.SMSTemplate = `{"to":{{.Text}}}` }},
		{"sms", "neither JSON nor a safe form", func(s *notify.Settings) { s.SMSTemplate = `to={{.To}}&text={{.Text}}` }},
		{"sms", "neither JSON nor a safe form", func(s *notify.Settings) { s.SMSTemplate = `<to>{{.To}}</to>` }},
	} {
		s := good
		s.Channels = c.channel
		_, err := notify.ParseChannels(s, quiet())
		require.NoError(t, err)
		c.change(&s)
		_, err = notify.ParseChannels(s, quiet())
		require.ErrorContains(t, err, "PASSBOOK_NOTIFY_", c.want)
		require.ErrorContains(t, err, c.want)
		require.NotContains(t, err.Error(), "hidden", "secrets are not repeated")
		require.NotContains(t, err.Error(), "\n")
	}
}
