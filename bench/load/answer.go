package load

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// Answer is an HTTP answer.
type Answer struct {
	Status int
	Body   []byte
}

// Number returns the first member of that name in a JSON body whose value is a
// whole number, at whatever depth. It is no parser: it is for answers whose form
// is known.
func (a Answer) Number(member string) (int64, bool) {
	_, rest, found := bytes.Cut(a.Body, []byte(`"`+member+`":`))
	if !found {
		return 0, false
	}
	end := 0
	for end < len(rest) && (rest[end] == '-' || rest[end] >= '0' && rest[end] <= '9') {
		end++
	}
	n, err := strconv.ParseInt(string(rest[:end]), 10, 64)
	return n, err == nil
}

var errNotHTTP = errors.New("this is no HTTP/1.1 answer")

// read reads one answer.
func (c *Connection) read() (Answer, error) {
	line, err := c.line()
	if err != nil {
		return Answer{}, err
	}
	if len(line) < len("HTTP/1.1 200") || !bytes.HasPrefix(line, []byte("HTTP/1.1 ")) {
		return Answer{}, fmt.Errorf("%w: %q", errNotHTTP, line)
	}
	status, err := strconv.Atoi(string(line[9:12]))
	if err != nil {
		return Answer{}, fmt.Errorf("%w: %q", errNotHTTP, line)
	}
	length, chunked, err := c.headers()
	if err != nil {
		return Answer{}, err
	}
	c.body = c.body[:0]
	switch {
	case chunked:
		err = c.chunks()
	case length > 0:
		err = c.take(length)
	}
	return Answer{Status: status, Body: c.body}, err
}

// line returns the next line without its end, valid until the next read.
func (c *Connection) line() ([]byte, error) {
	line, err := c.in.ReadSlice('\n')
	if err != nil {
		return nil, fmt.Errorf("read the answer: %w", err)
	}
	return bytes.TrimRight(line, "\r\n"), nil
}

// headers reads to the empty line behind them.
func (c *Connection) headers() (length int, chunked bool, err error) {
	for {
		line, err := c.line()
		if err != nil || len(line) == 0 {
			return length, chunked, err
		}
		name, value, _ := bytes.Cut(line, []byte(":"))
		switch {
		case bytes.EqualFold(name, []byte("Content-Length")):
			if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil {
				return 0, false, fmt.Errorf("%w: %q", errNotHTTP, line)
			}
		case bytes.EqualFold(name, []byte("Transfer-Encoding")):
			chunked = bytes.EqualFold(bytes.TrimSpace(value), []byte("chunked"))
		}
	}
}

// chunks reads a body whose length was not known when it began.
func (c *Connection) chunks() error {
	for {
		line, err := c.line()
		if err != nil {
			return err
		}
		size, err := strconv.ParseInt(string(line), 16, 32)
		if err != nil {
			return fmt.Errorf("%w: chunk %q", errNotHTTP, line)
		}
		if err := c.take(int(size)); err != nil {
			return err
		}
		if _, err := c.line(); err != nil { // that behind the chunk
			return err
		}
		if size == 0 {
			return nil
		}
	}
}

// take adds the next bytes to the body.
func (c *Connection) take(n int) error {
	from := len(c.body)
	c.body = append(c.body, make([]byte, n)...)
	if _, err := io.ReadFull(c.in, c.body[from:]); err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	return nil
}
