package mongodb_test

import (
	"bytes"
	"net"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// proxy stands between a client and a member. It can keep back what the client
// sends, or what the server answers, from the moment at which the client sends a
// certain command; and hand the former on when the client is long gone.
type proxy struct {
	t        testing.TB
	listener net.Listener
	server   string

	mu sync.Mutex
	// command is what is watched for; nothing if empty.
	command []byte
	// answers: it is the answers to it that are kept back, not itself.
	answers bool
	held    []*heldBytes
	caught  chan struct{} // a signal for each that is caught
}

// heldBytes is what a connection was to bring to the server.
type heldBytes struct {
	server net.Conn
	data   []byte
	reply  chan struct{} // closed with the server's first answer after them
}

// newProxy returns a proxy to the primary of the test's replica set, and the
// room's URL through it.
func newProxy(t testing.TB, r room, primary string) (*proxy, string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	p := &proxy{t: t, listener: listener, server: primary, caught: make(chan struct{}, 1000)}
	t.Cleanup(func() { require.NoError(t, listener.Close()) })
	go p.accept()
	u, err := url.Parse(strings.ReplaceAll(r.url, ",", ".")) // many hosts are none that url.Parse knows
	require.NoError(t, err)
	return p, "mongodb://" + listener.Addr().String() + u.Path + "?directConnection=true"
}

func (p *proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", p.server)
		if err != nil {
			_ = client.Close()
			continue
		}
		go p.serve(client, server)
	}
}

// holdRequests keeps back a command and what comes behind it on its connection.
func (p *proxy) holdRequests(command string) { p.watch(command, false) }

// holdAnswers keeps back what the server says to a command.
func (p *proxy) holdAnswers(command string) { p.watch(command, true) }

// pass lets everything through that comes from now on.
func (p *proxy) pass() { p.watch("", false) }

func (p *proxy) watch(command string, answers bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.command, p.answers = nil, answers
	if command != "" { // the first element of the message's document
		p.command = append(append([]byte{}, command...), 0)
	}
}

// release brings the server what was held back, and returns once it has answered.
func (p *proxy) release() {
	p.mu.Lock()
	held := p.held
	p.held = nil
	p.mu.Unlock()
	for _, h := range held {
		_, err := h.server.Write(h.data)
		require.NoError(p.t, err)
		<-h.reply
		_ = h.server.Close()
	}
}

// connection is what its two directions know of each other.
type connection struct {
	mu      sync.Mutex
	mute    bool       // answers go nowhere
	held    *heldBytes // requests are held
	replied bool
}

func (p *proxy) serve(client, server net.Conn) {
	c := &connection{}
	go func() {
		defer client.Close()
		buffer := make([]byte, 1<<16)
		for {
			n, err := server.Read(buffer)
			if err != nil {
				return
			}
			c.mu.Lock()
			mute := c.mute
			if c.held != nil && !c.replied {
				c.replied = true
				close(c.held.reply)
			}
			c.mu.Unlock()
			if !mute {
				_, _ = client.Write(buffer[:n]) // the client may be gone
			}
		}
	}()
	buffer := make([]byte, 1<<20)
	for {
		n, err := client.Read(buffer)
		if n > 0 && !p.request(c, server, buffer[:n]) {
			return
		}
		if err != nil {
			c.mu.Lock()
			held := c.held != nil
			c.mu.Unlock()
			if !held {
				_ = server.Close()
			}
			return
		}
	}
}

// request hands on what a client sends, or keeps it.
func (p *proxy) request(c *connection, server net.Conn, data []byte) (open bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.held == nil && !c.mute && p.command != nil && bytes.Contains(data, p.command) {
		if p.answers {
			c.mute = true
		} else {
			c.held = &heldBytes{server: server, reply: make(chan struct{})}
			p.held = append(p.held, c.held)
		}
		p.caught <- struct{}{}
	}
	if c.held != nil {
		c.held.data = append(c.held.data, data...)
		return true
	}
	_, err := server.Write(data)
	return err == nil
}
