package main

import (
	"errors"
	"log/slog"

	"passbook/bank/notify"
)

// notifyFlags are the settings of the notification service as they are given.
type notifyFlags struct {
	NotifyAddr          string `default:"127.0.0.1:5002" env:"PASSBOOK_NOTIFY_ADDR" help:"Address of the notification service." placeholder:"HOST:PORT"`
	notifyDBFlag        `embed:""`
	NotifyFromBeginning bool   `env:"PASSBOOK_NOTIFY_FROM_BEGINNING" help:"Have an empty notification database notify everything that the feed has, instead of what comes from now on."`
	NotifyChannels      string `default:"log" env:"PASSBOOK_NOTIFY_CHANNELS" help:"Channels to customers: some of log, webhook, smtp, sms." placeholder:"CHANNEL,..."`
	NotifyWebhookURL    string `env:"PASSBOOK_NOTIFY_WEBHOOK_URL" help:"Where webhooks go." name:"notify-webhook-url" placeholder:"URL"`
	NotifyWebhookSecret string `env:"PASSBOOK_NOTIFY_WEBHOOK_SECRET" help:"Secret that signs webhooks: whsec_ and base64." placeholder:"SECRET"`
	NotifySMTPURL       string `env:"PASSBOOK_NOTIFY_SMTP_URL" help:"Mail server: smtp://user:password@host:port or smtps://…" name:"notify-smtp-url" placeholder:"URL"`
	NotifySMTPFrom      string `env:"PASSBOOK_NOTIFY_SMTP_FROM" help:"Sender of mails." name:"notify-smtp-from" placeholder:"ADDRESS"`
	NotifySMSURL        string `env:"PASSBOOK_NOTIFY_SMS_URL" help:"Gateway of text messages." name:"notify-sms-url" placeholder:"URL"`
	NotifySMSTemplate   string `env:"PASSBOOK_NOTIFY_SMS_TEMPLATE" help:"Body of a request to the gateway, a Go template with .To, .Text, .ID, .AccountID and .Kind." name:"notify-sms-template" placeholder:"TEMPLATE"`
	NotifySMSAuth       string `env:"PASSBOOK_NOTIFY_SMS_AUTH" help:"Authorization for the gateway, or NAME: VALUE for another header." name:"notify-sms-auth" placeholder:"VALUE"`
}

// notifySettings are the settings of the notification service as they are meant.
type notifySettings struct {
	addr          string
	db            location
	fromBeginning bool
	channels      notify.Settings
}

// check reads the flags; the channels matter only where the service is to run.
func (f *notifyFlags) check(folder string, used bool) (notifySettings, error) {
	s := notifySettings{
		addr: f.NotifyAddr, fromBeginning: f.NotifyFromBeginning,
		channels: notify.Settings{
			Channels: f.NotifyChannels, WebhookURL: f.NotifyWebhookURL, WebhookSecret: f.NotifyWebhookSecret,
			SMTPURL: f.NotifySMTPURL, SMTPFrom: f.NotifySMTPFrom,
			SMSURL: f.NotifySMSURL, SMSTemplate: f.NotifySMSTemplate, SMSAuth: f.NotifySMSAuth,
		},
	}
	var err error
	s.db, err = f.notifyDBFlag.location(folder)
	if !used {
		return s, err
	}
	_, wrong := notify.ParseChannels(s.channels, slog.New(slog.DiscardHandler)) // made again when the service is
	return s, errors.Join(err, wrong)
}
