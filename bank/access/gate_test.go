package access_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"passbook/bank/access"
	"passbook/bank/web"
	"passbook/es/event"
)

// pass lets seconds pass in a bubble.
func pass(seconds int) { <-time.After(time.Duration(seconds) * time.Second) }

// call asks a gate about a request and returns whom it took the client for, and
// the code of a refusal.
func call(g *access.Gate, scope access.Scope, from string, authorization ...string) (event.Actor, web.Code) {
	r := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
	r.RemoteAddr = from
	for _, value := range authorization {
		r.Header.Add("Authorization", value)
	}
	ctx, err := g.Admit(r, &web.Operation{Scope: string(scope)})
	if err == nil {
		return access.Actor(ctx), ""
	}
	problem, ok := errors.AsType[*web.Problem](err)
	if !ok {
		return "", web.Code("no problem: " + err.Error())
	}
	return "", problem.Code
}

const somewhere = "192.0.2.7:1234"

// gateWithKeys returns a gate, and a key for each scope by the scope's name.
func gateWithKeys(t *testing.T, perSecond float64, burst int) (*access.Gate, map[access.Scope]string) {
	t.Helper()
	keys := make(map[access.Scope]string)
	var lines []string
	for _, scope := range access.Scopes() {
		key, line, err := access.NewKey("for-"+string(scope), []access.Scope{scope})
		require.NoError(t, err)
		keys[scope] = key
		lines = append(lines, line)
	}
	parsed, err := access.ParseKeys(strings.NewReader(strings.Join(lines, "\n")))
	require.NoError(t, err)
	return access.New(access.Config{Keys: func() *access.Keys { return parsed }, Rate: perSecond, Burst: burst}), keys
}

func TestGate_Scopes(t *testing.T) {
	gate, keys := gateWithKeys(t, 1e6, 1e6)
	for _, held := range access.Scopes() {
		for _, wanted := range access.Scopes() {
			actor, code := call(gate, wanted, somewhere, "Bearer "+keys[held])
			if held == wanted {
				require.Equal(t, event.Actor("for-"+held), actor)
				require.Empty(t, code)
			} else {
				require.Equal(t, web.CodeForbidden, code)
			}
		}
		actor, code := call(gate, "", somewhere, "bearer  "+keys[held])
		require.Equal(t, event.Actor("for-"+held), actor)
		require.Empty(t, code)
	}
}

func TestGate_Unauthenticated(t *testing.T) {
	gate, keys := gateWithKeys(t, 1e6, 1e6)
	good := keys[access.Query]
	for name, values := range map[string][]string{
		"none": {}, "unknown": {"Bearer " + good[:len(good)-1]}, "more": {"Bearer " + good + "x"},
		"scheme": {"Basic " + good}, "no scheme": {good}, "empty": {"Bearer "}, "long": {"Bearer " + strings.Repeat("k", 10_000)},
		"twice": {"Bearer " + good, "Bearer " + good}, "hash": {"Bearer sha256:abc"},
	} {
		_, code := call(gate, access.Query, somewhere, values...)
		require.Equal(t, web.CodeUnauthenticated, code, name)
	}
	actor, code := call(gate, "", somewhere)
	require.Empty(t, code, "an open operation asks for no key")
	require.Empty(t, actor)
	_, code = call(gate, "", somewhere, "Bearer nonsense")
	require.Equal(t, web.CodeUnauthenticated, code, "a wrong key is told, whatever for")
}

func TestGate_WithoutKeys(t *testing.T) {
	gate := access.New(access.Config{Rate: 1e6, Burst: 1e6})
	actor, code := call(gate, access.Operate, somewhere, "Bearer whatever")
	require.Empty(t, code)
	require.Empty(t, actor)
}

func TestGate_Rate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gate, keys := gateWithKeys(t, 2, 3)
		one, other := "Bearer "+keys[access.Query], "Bearer "+keys[access.Command]
		taken := func(scope access.Scope, key, from string) (n int) {
			for range 1000 {
				if _, code := call(gate, scope, from, key); code == web.CodeTooManyRequests {
					return n
				}
				n++
			}
			return n
		}
		require.Equal(t, 3, taken(access.Query, one, somewhere))
		require.Zero(t, taken(access.Query, one, "192.0.2.8:1"), "a client is its key, not its address")
		require.Equal(t, 3, taken(access.Command, other, somewhere), "another client has its own")
		pass(1)
		require.Equal(t, 2, taken(access.Query, one, somewhere))
		require.Equal(t, 100, taken(access.Query, "Bearer wrong", somewhere), "refused keys are counted by address")
		require.Equal(t, 100, taken(access.Query, "Bearer wrong", "192.0.2.8:1"))
		pass(2)
		require.Equal(t, 3, taken(access.Query, one, somewhere), "strangers use up nothing of a client's")
	})
}

func TestGate_RateByAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gate := access.New(access.Config{Rate: 1, Burst: 1})
		for from, want := range map[string]web.Code{"192.0.2.1:1": "", "[2001:db8:1:2::1]:1": "", "[2001:db8:1:3::1]:1": ""} {
			_, code := call(gate, "", from)
			require.Equal(t, want, code)
		}
		for _, from := range []string{"192.0.2.1:2", "[2001:db8:1:2:ffff::9]:1"} {
			_, code := call(gate, "", from)
			require.Equal(t, web.CodeTooManyRequests, code, "the same client under another port or address")
		}
	})
}

func TestGate_ManyClients(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gate := access.New(access.Config{Rate: 1, Burst: 1})
		refused := 0
		for i := range 10_100 {
			if _, code := call(gate, "", fmt.Sprintf("10.1.%d.%d:1", i/250, i%250)); code != "" {
				refused++
			}
		}
		require.Equal(t, 99, refused, "those beyond the bound share one allowance")
		pass(2)
		_, code := call(gate, "", "10.2.0.1:1")
		require.Empty(t, code)
		_, code = call(gate, "", "10.2.0.2:1")
		require.Empty(t, code, "idle clients were not forgotten")
	})
}

func TestActor_Outside(t *testing.T) {
	require.Empty(t, access.Actor(context.Background()))
}
