package broker_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"passbook/engine/broker"
)

// A test that kills a broker runs it in a child process: this test binary again, told by the environment what to serve.
const (
	childDir  = "BROKER_TEST_CHILD_DIR"
	childAddr = "BROKER_TEST_CHILD_ADDR"
)

func TestMain(m *testing.M) {
	if os.Getenv(childDir) == "" {
		os.Exit(m.Run())
	}
	b, err := broker.New(broker.Config{Addr: os.Getenv(childAddr), Dir: os.Getenv(childDir)})
	if err != nil {
		fmt.Println("error:", err)
		os.Exit(1)
	}
	fmt.Println(b.Addr())
	if err := b.Run(context.Background()); err != nil { // until killed
		os.Exit(1)
	}
}

// child is a broker in a process of its own.
type child struct {
	addr string
	kill func() // as kill -9 does
}

func startChild(t *testing.T, dir, addr string) child {
	t.Helper()
	if addr == "" {
		addr = "127.0.0.1:0"
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childDir+"="+dir, childAddr+"="+addr)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	killed := false
	c := child{kill: func() {
		if killed {
			return
		}
		killed = true
		require.NoError(t, cmd.Process.Kill())
		require.Error(t, cmd.Wait(), "the child ended by itself")
	}}
	t.Cleanup(c.kill)
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	c.addr = strings.TrimSpace(line)
	require.NotContains(t, c.addr, "error")
	return c
}
