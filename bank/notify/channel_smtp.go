package notify

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/mail"
	"net/smtp"
	"net/textproto"
	"net/url"
	"os"
	"time"
)

// smtpChannel sends each notification as a mail, over a connection of its own.
//
// With smtps the connection is encrypted from the start; with smtp it is as soon
// as the server offers that. A password is never sent over one that is not,
// unless the server is on this machine. Certificates are verified.
type smtpChannel struct {
	host, addr     string
	isTLS          bool
	user, password string
	from           *mail.Address
	roots          *tls.Config // nil: those of the system
}

// parseSMTPURL reads smtp://user:password@host:port or smtps://…. The error does
// not repeat it.
func parseSMTPURL(text string) (*smtpChannel, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil, u.Scheme != "smtp" && u.Scheme != "smtps", u.Hostname() == "":
		return nil, errors.New("want smtp://user:password@host:port, or smtps:// for TLS from the start; special characters of the password as %XX")
	case u.Path != "" && u.Path != "/", u.RawQuery != "", u.Fragment != "":
		return nil, errors.New("nothing may follow the port")
	}
	c := &smtpChannel{host: u.Hostname(), isTLS: u.Scheme == "smtps", user: u.User.Username()}
	c.password, _ = u.User.Password()
	port := u.Port()
	switch {
	case port != "":
	case c.isTLS:
		port = "465"
	default:
		port = "587"
	}
	c.addr = net.JoinHostPort(c.host, port)
	return c, nil
}

// Name implements Channel.
func (*smtpChannel) Name() string { return "smtp" }

// Address implements Channel.
func (*smtpChannel) Address(c Contact) (string, bool) { return c.Email, c.Email != "" }

// Send implements Channel.
func (c *smtpChannel) Send(ctx context.Context, n Notification) error {
	to, err := parseMailAddress(n.Address)
	if err != nil {
		return fmt.Errorf("%w: the account's email is no mail address", ErrRefused)
	}
	text, err := mailText(n, c.from, to, time.Now())
	if err != nil {
		return fmt.Errorf("%w: %w", ErrRefused, err)
	}
	conn, err := c.dial(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }() // it may be closed already
	// A server that hangs is left when ctx ends, whatever it was asked.
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	err = c.talk(conn, to.Address, text)
	if err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

func (c *smtpChannel) dial(ctx context.Context) (net.Conn, error) {
	if c.isTLS {
		return (&tls.Dialer{Config: c.tls()}).DialContext(ctx, "tcp", c.addr)
	}
	return new(net.Dialer).DialContext(ctx, "tcp", c.addr)
}

func (c *smtpChannel) tls() *tls.Config {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if c.roots != nil {
		config = c.roots.Clone()
	}
	config.ServerName = c.host
	return config
}

// talk hands over one mail.
func (c *smtpChannel) talk(conn net.Conn, to string, text []byte) error {
	client, err := smtp.NewClient(conn, c.host)
	if err != nil {
		return reply("greeting", err)
	}
	if err := c.introduce(client); err != nil {
		return err
	}
	if err := client.Mail(c.from.Address); err != nil {
		return reply("sender", err)
	}
	if err := client.Rcpt(to); err != nil {
		return refusal("recipient", err)
	}
	data, err := client.Data()
	if err != nil {
		return reply("data", err)
	}
	if _, err := data.Write(text); err != nil {
		return reply("data", err)
	}
	if err := data.Close(); err != nil {
		return refusal("message", err)
	}
	// It is taken over: what the goodbye is answered with changes nothing.
	_ = client.Quit()
	return nil
}

// introduce says hello, and sees to encryption and password.
func (c *smtpChannel) introduce(client *smtp.Client) error {
	if name, err := os.Hostname(); err == nil {
		if err := client.Hello(name); err != nil {
			return reply("hello", err)
		}
	}
	if ok, _ := client.Extension("STARTTLS"); ok && !c.isTLS {
		if err := client.StartTLS(c.tls()); err != nil {
			return reply("starttls", err)
		}
	}
	if c.user == "" {
		return nil
	}
	if ok, _ := client.Extension("AUTH"); !ok {
		return errors.New("the server takes no password on this connection: use smtps://, or leave user and password out")
	}
	if err := client.Auth(smtp.PlainAuth("", c.user, c.password, c.host)); err != nil {
		// What a server says of a password could repeat some of it.
		if said, ok := errors.AsType[*textproto.Error](err); ok {
			return fmt.Errorf("password: the server answered %d", said.Code)
		}
		return reply("password", err)
	}
	return nil
}

// reply says at which step of the conversation it ended.
func reply(step string, err error) error { return fmt.Errorf("%s: %w", step, err) }

// refusal is reply for what is about this one message: a 5xx there will be the
// same tomorrow.
func refusal(step string, err error) error {
	if said, ok := errors.AsType[*textproto.Error](err); ok && said.Code >= 500 {
		return fmt.Errorf("%w: %s: %w", ErrRefused, step, err)
	}
	return reply(step, err)
}
