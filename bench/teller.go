package bench

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"
)

// teller makes up requests for some accounts. Safe for concurrent use.
type teller struct {
	ids      []string
	deposits []string // paths
	body     []byte
}

const apiAccounts = "/api/v2/accounts"

func newTeller(accounts int) *teller {
	t := &teller{body: []byte(`{"amount":{"amount":"12.50","currency":"EUR"},"reference":"standing order"}`)}
	for i := range accounts {
		id := "account-" + strconv.Itoa(i)
		t.ids = append(t.ids, id)
		t.deposits = append(t.deposits, apiAccounts+"/"+id+"/deposits")
	}
	return t
}

// some is the index of some account.
func (t *teller) some() int { return rand.IntN(len(t.ids)) } //nolint:gosec // any will do

// open opens all accounts.
func (t *teller) open(ctx context.Context, all connections) error {
	err := all.each(ctx, len(t.ids), func(i int) request {
		return request{http.MethodPost, apiAccounts, fmt.Appendf(nil,
			`{"accountHolder":"John Doe","accountType":"SAVINGS","accountId":%q,"openingBalance":{"amount":"0.00","currency":"EUR"}}`, t.ids[i])}
	})
	if err != nil {
		return fmt.Errorf("open accounts: %w", err)
	}
	return nil
}

// deposit is a deposit to an account.
func (t *teller) deposit(i int) request { return request{http.MethodPost, t.deposits[i], t.body} }

// find asks for an account.
func (t *teller) find(i int) request {
	return request{http.MethodGet, apiAccounts + "/" + t.ids[i], nil}
}

// findAt asks for an account once it shows a version.
func (t *teller) findAt(i int, version int64) request {
	return request{http.MethodGet, apiAccounts + "/" + t.ids[i] + "?minVersion=" + strconv.FormatInt(version, 10) + "&wait=10s", nil}
}

// awaitPosition waits until queries show everything up to a position of the
// store.
func (d deployment) awaitPosition(ctx context.Context, position int64) error {
	all, err := connect(ctx, d.query, 1)
	if err != nil {
		return err
	}
	defer all.close()
	path := apiAccounts + "?pageSize=1&minPosition=" + strconv.FormatInt(position, 10) + "&wait=10s"
	for {
		answer, err := all[0].Do(http.MethodGet, path, nil)
		switch {
		case err != nil:
			return fmt.Errorf("wait for the read model: %w", err)
		case answer.Status == http.StatusOK:
			return nil
		case answer.Status != http.StatusConflict: // not yet
			return refused(request{http.MethodGet, path, nil}, answer)
		}
	}
}

// awaitReady waits until a service says that it can do its work: it listens
// before its engines are there.
func awaitReady(ctx context.Context, addr string) error {
	all, err := connect(ctx, addr, 1)
	if err != nil {
		return err
	}
	defer all.close()
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for began := time.Now(); ; {
		r := request{http.MethodGet, "/readyz", nil}
		answer, err := all[0].Do(r.method, r.path, nil)
		switch {
		case err != nil:
			return fmt.Errorf("wait for a service: %w", err)
		case answer.Status == http.StatusOK:
			return nil
		case time.Since(began) > serviceStart:
			return refused(r, answer)
		}
		select {
		case <-look.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
