package cluster_test

import (
	"context"
	"strings"
	"testing"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"passbook/internal/testenv"
)

// network lies between passbook and the engines, and between the members of the
// replica set.
type network struct {
	server *toxiproxy.ApiServer
}

func newNetwork() *network {
	return &network{server: toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())}
}

// proxy leads to an upstream until the test ends.
func (n *network) proxy(t *testing.T, upstream string) *toxiproxy.Proxy {
	t.Helper()
	p := toxiproxy.NewProxy(n.server, upstream, testenv.FreeAddr(t), upstream)
	require.NoError(t, p.Start())
	t.Cleanup(p.Stop)
	return p
}

// Faults of a network. Downstream is the way of answers.
var (
	latency = []string{
		`{"type":"latency","stream":"upstream","attributes":{"latency":15,"jitter":10}}`,
		`{"type":"latency","stream":"downstream","attributes":{"latency":15,"jitter":10}}`,
	}
	// resets: each connection breaks a moment after its first byte.
	resets = []string{`{"type":"reset_peer","stream":"downstream","attributes":{"timeout":150}}`}
	// mute: what is asked arrives, and no answer to it; the connections stay open.
	mute = []string{`{"type":"timeout","stream":"downstream","attributes":{"timeout":0}}`}
	// halfOpen: nothing arrives at either end, and neither is told.
	halfOpen = []string{
		`{"type":"timeout","stream":"upstream","attributes":{"timeout":0}}`,
		`{"type":"timeout","stream":"downstream","attributes":{"timeout":0}}`,
	}
	// lostHalf: half of the connections become half-open for good, others work.
	lostHalf = []string{`{"type":"timeout","stream":"upstream","toxicity":0.5,"attributes":{"timeout":0}}`}
)

// poison puts a fault between passbook and nodes, until it is cured. What a
// cured connection has lost is lost: it is closed.
func poison(t *testing.T, fault []string, nodes ...*node) (cure func()) {
	t.Helper()
	for _, n := range nodes {
		for _, toxic := range fault {
			_, err := n.proxy.Toxics.AddToxicJson(strings.NewReader(toxic))
			require.NoError(t, err)
		}
	}
	return func() {
		for _, n := range nodes {
			n.proxy.Toxics.ResetToxics(context.Background())
		}
	}
}
