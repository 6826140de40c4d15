package notify_test

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http/httptest"
	"net/textproto"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// mailServer is a small SMTP server that keeps what it takes over.
type mailServer struct {
	t        *testing.T
	listener net.Listener
	// certificate, if set, is offered with STARTTLS, or used from the start.
	certificate *tls.Config
	isTLS       bool
	// offersAuth: it takes the password of user.
	offersAuth bool
	// answers replaces the answer to a command, by its first word.
	answers map[string]string
	// deaf commands are not answered at all.
	deaf string

	mu    sync.Mutex
	mails []mail
	conns []net.Conn
	all   sync.WaitGroup
}

type mail struct {
	from, to, data string
	encrypted      bool
	auth           string
}

func newMailServer(t *testing.T, change func(m *mailServer)) *mailServer {
	t.Helper()
	m := &mailServer{t: t, answers: make(map[string]string)}
	if change != nil {
		change(m)
	}
	var err error
	m.listener, err = net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	if m.isTLS {
		m.listener = tls.NewListener(m.listener, m.certificate)
	}
	m.all.Go(func() {
		for {
			conn, err := m.listener.Accept()
			if err != nil {
				return
			}
			m.mu.Lock()
			m.conns = append(m.conns, conn)
			m.mu.Unlock()
			m.all.Go(func() { m.talk(conn) })
		}
	})
	t.Cleanup(func() {
		require.NoError(t, m.listener.Close())
		m.mu.Lock()
		for _, conn := range m.conns {
			_ = conn.Close()
		}
		m.mu.Unlock()
		m.all.Wait()
	})
	return m
}

func (m *mailServer) addr() string { return m.listener.Addr().String() }

func (m *mailServer) taken() []mail {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]mail(nil), m.mails...)
}

// talk serves one connection.
func (m *mailServer) talk(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	text := textproto.NewConn(conn)
	var now mail
	now.encrypted = m.isTLS
	_ = text.PrintfLine("220 test ESMTP")
	for {
		line, err := text.ReadLine()
		if err != nil {
			return
		}
		command, rest, _ := strings.Cut(line, " ")
		command = strings.ToUpper(command)
		if command == m.deaf {
			continue
		}
		if answer, ok := m.answers[command]; ok {
			_ = text.PrintfLine("%s", answer)
			continue
		}
		switch command {
		case "EHLO":
			_ = text.PrintfLine("250-test")
			if m.certificate != nil && !now.encrypted {
				_ = text.PrintfLine("250-STARTTLS")
			}
			if m.offersAuth {
				_ = text.PrintfLine("250-AUTH PLAIN")
			}
			_ = text.PrintfLine("250 8BITMIME")
		case "STARTTLS":
			_ = text.PrintfLine("220 go on")
			conn = tls.Server(conn, m.certificate)
			text = textproto.NewConn(conn)
			now.encrypted = true
		case "AUTH":
			now.auth = rest
			_ = text.PrintfLine("235 welcome")
		case "MAIL":
			now.from = rest
			_ = text.PrintfLine("250 ok")
		case "RCPT":
			now.to = rest
			_ = text.PrintfLine("250 ok")
		case "DATA":
			_ = text.PrintfLine("354 go on")
			data, err := readDots(text.R)
			if err != nil {
				return
			}
			now.data = data
			if answer, ok := m.answers["."]; ok {
				_ = text.PrintfLine("%s", answer)
				continue
			}
			m.mu.Lock()
			m.mails = append(m.mails, now)
			m.mu.Unlock()
			_ = text.PrintfLine("250 taken over")
		case "QUIT":
			_ = text.PrintfLine("221 bye")
			return
		default:
			_ = text.PrintfLine("502 what?")
		}
	}
}

// readDots reads the lines of a mail, as they came, up to the one with a dot.
func readDots(r *bufio.Reader) (data string, err error) {
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return "", err
		}
		if line == ".\r\n" {
			return data, nil
		}
		data += strings.TrimPrefix(line, ".")
	}
}

// certificate returns a certificate for 127.0.0.1, and what trusts it.
func certificate(t *testing.T) (server, client *tls.Config) {
	t.Helper()
	s := httptest.NewTLSServer(nil)
	t.Cleanup(s.Close)
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	return &tls.Config{Certificates: s.TLS.Certificates}, &tls.Config{RootCAs: roots}
}
