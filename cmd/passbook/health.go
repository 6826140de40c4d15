package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// healthBodyMax is how much of an answer is read: the reasons of one process are
// a few lines.
const healthBodyMax = 64 << 10

type healthCommand struct {
	Addr    string        `arg:"" help:"Address of a service, as in its settings, or http://HOST:PORT." placeholder:"HOST:PORT"`
	Ready   bool          `help:"Ask whether it can do its work, instead of whether it is alive."`
	Timeout time.Duration `default:"3s" help:"How long an answer is waited for." placeholder:"TIME"`
}

// Run asks the probe of a running service, for a container that has this
// program and nothing else in it. No answer is an answer: exit code 1, as for one
// that says no, because those who run health checks keep 2 for themselves.
func (c *healthCommand) Run(ctx context.Context, out output) error {
	url, err := c.url()
	if err != nil {
		return err
	}
	if c.Timeout <= 0 {
		return fmt.Errorf("--timeout: %s is no time to wait: want more than 0", c.Timeout)
	}
	within, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	said, err := askProbe(within, url)
	if errors.Is(within.Err(), context.DeadlineExceeded) {
		err = refusal(fmt.Sprintf("%s does not answer within %s", url, c.Timeout))
	}
	if err != nil {
		return out.ended(ctx, err)
	}
	_, err = fmt.Fprintln(out.stdout, said)
	return err //nolint:wrapcheck // standard output tells enough
}

// url is where the probe is. An address that stands for every one of the machine
// is asked on loopback.
func (c *healthCommand) url() (string, error) {
	addr := strings.TrimSuffix(strings.TrimPrefix(c.Addr, "http://"), "/")
	host, port, err := net.SplitHostPort(addr)
	if _, noPort := strconv.ParseUint(port, 10, 16); err != nil || noPort != nil || host == "" {
		return "", fmt.Errorf("ADDR: %q is no HOST:PORT", c.Addr)
	}
	switch ip := net.ParseIP(host); {
	case ip.Equal(net.IPv4zero):
		host = "127.0.0.1"
	case ip.Equal(net.IPv6unspecified):
		host = "::1"
	}
	probe := "/livez"
	if c.Ready {
		probe = "/readyz"
	}
	return "http://" + net.JoinHostPort(host, port) + probe, nil
}

// askProbe returns what a probe says, an error if it says no or nothing.
func askProbe(ctx context.Context, url string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return "", fmt.Errorf("ADDR: %w", err)
	}
	// Straight to the service: a proxy would answer for itself.
	asking := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := asking.Do(request)
	if err != nil {
		return "", refusal(fmt.Sprintf("no answer: %v", err))
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, healthBodyMax))
	if err := errors.Join(err, response.Body.Close()); err != nil {
		return "", refusal(fmt.Sprintf("no whole answer: %v", err))
	}
	said := printable(strings.Join(strings.Fields(string(body)), " "))
	if response.StatusCode != http.StatusOK {
		return "", refusal(fmt.Sprintf("%s says no (%s): %s", url, response.Status, said))
	}
	return said, nil
}
