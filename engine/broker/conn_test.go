package broker_test

import (
	"encoding/binary"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// What is not a Kafka request ends its connection and nothing else.
func TestConn_Guard(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir(), "")
	request := func(length uint32, key uint16) string {
		head := binary.BigEndian.AppendUint32(nil, length)
		return string(binary.BigEndian.AppendUint16(head, key)) + strings.Repeat("\x00", 20)
	}
	for name, bytes := range map[string]string{
		"HTTP":                "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
		"TLS":                 "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
		"unknown key":         request(20, 9999),
		"negative key":        request(20, 0xffff),
		"too long":            request(100<<20+1, 18),
		"too short":           request(2, 18),
		"not what it says":    request(20, 0),
		"unsupported version": "\x00\x00\x00\x0a\x00\x12\x7f\xff\x00\x00\x00\x00\xff\xff",
	} {
		t.Run(name, func(t *testing.T) {
			client, err := net.Dial("tcp", s.Addr())
			require.NoError(t, err)
			defer client.Close()
			_, err = client.Write([]byte(bytes))
			require.NoError(t, err)
			require.NoError(t, client.SetReadDeadline(time.Now().Add(patience)))
			if _, err = io.ReadAll(client); err != nil {
				require.NotErrorIs(t, err, os.ErrDeadlineExceeded, "the connection stays open")
			}
		})
	}
	cl := dial(t, s.Addr())
	createTopic(t, cl, "events", 1, nil)
	fill(t, cl, "events", 0, 0, 10)
	require.EqualValues(t, 10, requireSequence(t, s.Addr(), "events", 0))
}

// A client of another make reads and writes.
func TestKcat(t *testing.T) {
	t.Parallel()
	kcat, err := exec.LookPath("kcat")
	if err != nil {
		t.Skip("NOT TESTED with a client of another make: kcat is not installed")
	}
	s := start(t, t.TempDir(), "")
	cl := dial(t, s.Addr())
	createTopic(t, cl, "events", 1, nil)
	fill(t, cl, "events", 0, 0, 2)

	produce := exec.CommandContext(ctxOf(t), kcat, "-P", "-b", s.Addr(), "-t", "events", "-p", "0")
	produce.Stdin = strings.NewReader(value(0, 2))
	out, err := produce.CombinedOutput()
	require.NoError(t, err, string(out))
	consume := exec.CommandContext(ctxOf(t), kcat, "-C", "-b", s.Addr(), "-t", "events", "-p", "0", "-o", "beginning", "-e", "-q")
	out, err = consume.Output()
	require.NoError(t, err)
	require.Equal(t, value(0, 0)+"\n"+value(0, 1)+"\n"+value(0, 2)+"\n", string(out))
}
