package broker

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"

	"github.com/twmb/franz-go/pkg/kmsg"
)

const (
	// As socket.request.max.bytes of Kafka.
	requestBytesMax = 100 << 20
	// API key, version and correlation id.
	requestBytesMin = 8
)

var errNotKafka = errors.New("not a Kafka request")

// conn lets a request through only if it begins like one. kfake allocates whatever length the first four bytes claim
// (1.2 GB for "GET ") and panics at an API key that it does not know, so that a browser or a port scanner could end the
// process that also holds the event store.
//
// Like kfake it expects that one goroutine reads.
type conn struct {
	net.Conn
	log     *slog.Logger
	release func()

	buf  [8]byte // length of the request, API key, version
	head []byte  // what of buf is not handed on yet
	left int     // bytes of the request behind head
}

func (c *conn) Read(p []byte) (int, error) {
	if len(c.head) == 0 && c.left == 0 {
		if err := c.begin(); err != nil {
			return 0, err
		}
	}
	if len(c.head) > 0 {
		n := copy(p, c.head)
		c.head = c.head[n:]
		return n, nil
	}
	n, err := c.Conn.Read(p[:min(len(p), c.left)])
	c.left -= n
	return n, err
}

// begin reads the first bytes of the next request and judges them.
func (c *conn) begin() error {
	if _, err := io.ReadFull(c.Conn, c.buf[:]); err != nil {
		return err
	}
	size := binary.BigEndian.Uint32(c.buf[:4])
	key := int16(binary.BigEndian.Uint16(c.buf[4:6]))
	if size < requestBytesMin || size > requestBytesMax || kmsg.RequestForKey(key) == nil {
		c.log.Warn("broker closes a connection that does not speak Kafka's plain protocol", "client", c.RemoteAddr())
		return fmt.Errorf("%w: length %d, API key %d", errNotKafka, size, key)
	}
	c.head, c.left = c.buf[:], int(size)-4
	return nil
}

// Close may be called more than once.
func (c *conn) Close() error {
	defer c.release()
	return c.Conn.Close()
}
