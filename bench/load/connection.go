package load

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"strconv"
	"time"
)

// Connection is one HTTP/1.1 connection that is kept open. A generator of load
// runs beside what it loads, so it must not cost much: this client writes the
// few bytes that a request needs, and reads the status and the body of the
// answer. Used by one goroutine at a time.
type Connection struct {
	dial func() (net.Conn, error)
	stop func() bool // of what ends conn with its context
	conn net.Conn
	in   *bufio.Reader
	used time.Time
	host string
	out  []byte
	body []byte
}

// idleMax is how long a connection may lie idle before another takes its place:
// servers close those that nothing comes from, and a request that crosses that
// fails.
const idleMax = time.Second

// Dial connects to host:port. When ctx ends, so does what is under way.
func Dial(ctx context.Context, addr string) (*Connection, error) {
	c := &Connection{in: bufio.NewReaderSize(nil, 16<<10), host: addr}
	c.dial = func() (net.Conn, error) {
		var dialer net.Dialer
		conn, err := dialer.DialContext(ctx, "tcp", addr)
		if err != nil {
			return nil, fmt.Errorf("connect: %w", err)
		}
		c.stop = context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) }) // a broken connection ends by itself
		return conn, nil
	}
	return c, c.open()
}

// open connects, now or again.
func (c *Connection) open() (err error) {
	if c.conn, err = c.dial(); err == nil {
		c.in.Reset(c.conn)
		c.used = time.Now()
	}
	return err
}

// Close ends the connection.
func (c *Connection) Close() error {
	if c.conn == nil {
		return nil
	}
	c.stop()
	return c.conn.Close()
}

// fresh sees to it that the connection has been used a moment ago.
func (c *Connection) fresh() error {
	now := time.Now()
	if now.Sub(c.used) < idleMax {
		c.used = now
		return nil
	}
	_ = c.Close() // nothing is under way on it
	return c.open()
}

// Do sends a request, whose body is JSON unless it is nil, and returns the
// answer. Its body is valid until the next call. After an error the connection
// is of no more use.
func (c *Connection) Do(method, path string, body []byte) (Answer, error) {
	if err := c.fresh(); err != nil {
		return Answer{}, fmt.Errorf("%s %s: %w", method, path, err)
	}
	c.out = append(c.out[:0], method...)
	c.out = append(c.out, ' ')
	c.out = append(c.out, path...)
	c.out = append(c.out, " HTTP/1.1\r\nHost: "...)
	c.out = append(c.out, c.host...)
	if body != nil {
		c.out = append(c.out, "\r\nContent-Type: application/json\r\nContent-Length: "...)
		c.out = strconv.AppendInt(c.out, int64(len(body)), 10)
	}
	c.out = append(c.out, "\r\n\r\n"...)
	c.out = append(c.out, body...)
	if _, err := c.conn.Write(c.out); err != nil {
		return Answer{}, fmt.Errorf("%s %s: %w", method, path, err)
	}
	answer, err := c.read()
	if err != nil {
		return Answer{}, fmt.Errorf("%s %s: %w", method, path, err)
	}
	return answer, nil
}
