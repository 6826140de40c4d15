package notify_test

import (
	"context"
	"encoding/base64"
	"io"
	"mime"
	"mime/quotedprintable"
	netmail "net/mail"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"passbook/bank/notify"
)

// mailer is the channel to a server, with "user:password@" before its address or
// nothing.
func mailer(t *testing.T, scheme, credentials string, m *mailServer) notify.Channel {
	t.Helper()
	return channel(t, notify.Settings{
		Channels: "smtp", SMTPURL: scheme + "://" + credentials + m.addr(), SMTPFrom: "Bänk <bank@example.com>",
	})
}

func TestSMTP(t *testing.T) {
	m := newMailServer(t, nil)
	c := mailer(t, "smtp", "", m)
	require.NoError(t, c.Send(t.Context(), notification("Anna <anna@example.org>")))
	taken := m.taken()[0]
	require.Equal(t, "FROM:<bank@example.com> BODY=8BITMIME", taken.from)
	require.Equal(t, "TO:<anna@example.org>", taken.to)
	for line := range strings.SplitSeq(taken.data, "\r\n") {
		require.NotContains(t, line, "\n")
		require.LessOrEqual(t, len(line), 76+len("Content-Transfer-Encoding: "))
		require.Equal(t, strings.ToValidUTF8(line, "?"), line)
	}
	parsed, err := netmail.ReadMessage(strings.NewReader(taken.data))
	require.NoError(t, err)
	from, err := parsed.Header.AddressList("From")
	require.NoError(t, err)
	require.Equal(t, []*netmail.Address{{Name: "Bänk", Address: "bank@example.com"}}, from)
	to, err := parsed.Header.AddressList("To")
	require.NoError(t, err)
	require.Equal(t, []*netmail.Address{{Address: "anna@example.org"}}, to)
	require.Equal(t, "<11111111-2222-8333-8444-555555555555@example.com>", parsed.Header.Get("Message-Id"))
	date, err := parsed.Header.Date()
	require.NoError(t, err)
	require.WithinDuration(t, time.Now(), date, time.Minute)
	require.Equal(t, "1.0", parsed.Header.Get("Mime-Version"))
	require.Equal(t, "auto-generated", parsed.Header.Get("Auto-Submitted"))
	kind, parameters, err := mime.ParseMediaType(parsed.Header.Get("Content-Type"))
	require.NoError(t, err)
	require.Equal(t, "text/plain utf-8", kind+" "+parameters["charset"])
	body, err := io.ReadAll(quotedprintable.NewReader(parsed.Body))
	require.NoError(t, err)
	require.Equal(t, "Dear Jörg \"J\" Müller,\r\n\r\n"+text+"\r\n", string(body))

	where, ok := c.Address(notify.Contact{Phone: "+1", Email: "a@example.com"})
	require.True(t, ok)
	require.Equal(t, "a@example.com", where)
	_, ok = c.Address(notify.Contact{Phone: "+1"})
	require.False(t, ok)
}

// Whatever an account has for a name, an id or an address: no header is added.
func TestSMTP_NoHeaderIsInjected(t *testing.T) {
	m := newMailServer(t, nil)
	c := mailer(t, "smtp", "", m)
	n := notification("anna@example.org")
	n.AccountID, n.Holder = "Ä\r\nBcc: x@example.com", "x\r\n.\r\nRSET\r\n"
	require.NoError(t, c.Send(t.Context(), n))
	parsed, err := netmail.ReadMessage(strings.NewReader(m.taken()[0].data))
	require.NoError(t, err)
	require.Empty(t, parsed.Header.Get("Bcc"))
	subject, err := new(mime.WordDecoder).DecodeHeader(parsed.Header.Get("Subject"))
	require.NoError(t, err)
	require.Equal(t, "A deposit into your account "+n.AccountID, subject)
	require.Len(t, m.taken(), 1)
	for _, address := range []string{
		"anna@example.org\r\nBcc: x@example.com", "anna@example.org, x@example.com", "anna", "", "\"a\r\nRCPT TO:<x@example.com>\"@example.org",
		"<anna@example.org>\r\nRCPT TO:<x@example.com>",
	} {
		require.ErrorIs(t, c.Send(t.Context(), notification(address)), notify.ErrRefused, address)
	}
	require.Len(t, m.taken(), 1)
}

func TestSMTP_Encrypts(t *testing.T) {
	server, client := certificate(t)
	for scheme, change := range map[string]func(m *mailServer){
		"smtp":  func(m *mailServer) { m.certificate, m.offersAuth = server, true },
		"smtps": func(m *mailServer) { m.certificate, m.offersAuth, m.isTLS = server, true, true },
	} {
		t.Run(scheme, func(t *testing.T) {
			m := newMailServer(t, change)
			c := mailer(t, scheme, "us%40er:pass%3Aword@", m)
			require.ErrorContains(t, c.Send(t.Context(), notification("a@example.org")), "certificate", "a stranger's is not trusted")
			notify.SetRoots(c, client)
			require.NoError(t, c.Send(t.Context(), notification("a@example.org")))
			taken := m.taken()
			require.Len(t, taken, 1)
			require.True(t, taken[0].encrypted)
			require.Equal(t, "PLAIN "+base64.StdEncoding.EncodeToString([]byte("\x00us@er\x00pass:word")), taken[0].auth)
		})
	}
}

func TestSMTP_Password(t *testing.T) {
	m := newMailServer(t, nil)
	require.ErrorContains(t, mailer(t, "smtp", "user:hidden@", m).Send(t.Context(), notification("a@example.org")), "takes no password")
	m = newMailServer(t, func(m *mailServer) { m.offersAuth, m.answers["AUTH"] = true, "535 hidden is wrong" })
	err := mailer(t, "smtp", "user:hidden@", m).Send(t.Context(), notification("a@example.org"))
	require.EqualError(t, err, "password: the server answered 535")
	require.NotErrorIs(t, err, notify.ErrRefused, "an operator can mend it")
}

func TestSMTP_Refusals(t *testing.T) {
	for command, c := range map[string]struct {
		answer  string
		refused bool
	}{
		"EHLO": {"421 come again", false}, "MAIL": {"550 not you", false}, "DATA": {"554 no", false},
		"RCPT": {"550 no such mailbox", true}, ".": {"552 too large", true},
	} {
		m := newMailServer(t, func(m *mailServer) {
			m.answers[command] = c.answer
			if command == "EHLO" {
				m.answers["HELO"] = c.answer
			}
		})
		err := mailer(t, "smtp", "", m).Send(t.Context(), notification("a@example.org"))
		require.ErrorContains(t, err, c.answer[4:])
		if c.refused {
			require.ErrorIs(t, err, notify.ErrRefused, command)
		} else {
			require.NotErrorIs(t, err, notify.ErrRefused, command)
		}
	}
	later := newMailServer(t, func(m *mailServer) { m.answers["RCPT"] = "450 mailbox is busy" })
	require.NotErrorIs(t, mailer(t, "smtp", "", later).Send(t.Context(), notification("a@example.org")), notify.ErrRefused)
	odd := newMailServer(t, func(m *mailServer) { m.answers["QUIT"] = "500 what?" })
	require.NoError(t, mailer(t, "smtp", "", odd).Send(t.Context(), notification("a@example.org")), "it was taken over before")
}

func TestSMTP_Hangs(t *testing.T) {
	for _, command := range []string{"EHLO", "RCPT"} {
		m := newMailServer(t, func(m *mailServer) { m.deaf = command })
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		require.ErrorIs(t, mailer(t, "smtp", "", m).Send(ctx, notification("a@example.org")), context.DeadlineExceeded, command)
		cancel()
		ctx, cancel = context.WithCancel(t.Context())
		time.AfterFunc(50*time.Millisecond, cancel)
		require.ErrorIs(t, mailer(t, "smtp", "", m).Send(ctx, notification("a@example.org")), context.Canceled, command)
	}
}
