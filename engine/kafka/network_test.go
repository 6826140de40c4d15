package kafka_test

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// network is what lies between a client and its brokers, for faults that
// brokers cannot be told to have.
type network struct {
	mu     sync.Mutex
	frozen chan struct{} // closed when it thaws; nil while it works
	cuts   map[kmsg.Key]int
	dead   bool
	conns  []net.Conn
}

func newNetwork() *network { return &network{cuts: make(map[kmsg.Key]int)} }

// dialer is the option by which clients use it.
func (n *network) dialer() kgo.Opt {
	return kgo.Dialer(func(ctx context.Context, protocol, address string) (net.Conn, error) {
		n.pass()
		conn, err := (&net.Dialer{}).DialContext(ctx, protocol, address)
		if err != nil {
			return nil, err
		}
		n.mu.Lock()
		defer n.mu.Unlock()
		if n.dead {
			return nil, errors.Join(errors.New("the process is dead"), conn.Close())
		}
		n.conns = append(n.conns, conn)
		return &networkConn{Conn: conn, network: n}, nil
	})
}

// kill is to brokers what kill -9 of the process would be: its connections end,
// and it never says goodbye.
func (n *network) kill() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.dead = true
	for _, conn := range n.conns {
		_ = conn.Close()
	}
}

// freeze stops everything on its way, as when the process is paused. Nothing
// is lost, and connections stay open.
func (n *network) freeze() (thaw func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.frozen = make(chan struct{})
	return sync.OnceFunc(func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		close(n.frozen)
		n.frozen = nil
	})
}

// pass returns when the network works.
func (n *network) pass() {
	n.mu.Lock()
	frozen := n.frozen
	n.mu.Unlock()
	if frozen != nil {
		<-frozen
	}
}

// cutAnswers has the connection break instead of the next answers to a kind of
// request: the broker has done what was asked.
func (n *network) cutAnswers(key kmsg.Key, times int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.cuts[key] = times
}

func (n *network) cutsLeft(key kmsg.Key) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.cuts[key]
}

func (n *network) takeCut(key kmsg.Key) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.cuts[key] == 0 {
		return false
	}
	n.cuts[key]--
	return true
}

type networkConn struct {
	net.Conn
	network *network
	mu      sync.Mutex
	cut     bool
}

func (c *networkConn) Write(b []byte) (int, error) {
	c.network.pass()
	if len(b) >= 6 && c.network.takeCut(kmsg.Key(binary.BigEndian.Uint16(b[4:]))) {
		c.mu.Lock()
		c.cut = true
		c.mu.Unlock()
	}
	return c.Conn.Write(b)
}

func (c *networkConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.network.pass()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cut {
		_ = c.Close()
		return 0, io.ErrUnexpectedEOF
	}
	return n, err
}
