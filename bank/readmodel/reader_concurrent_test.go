package readmodel_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"passbook/bank/readmodel"
)

// While a projection runs, every list is one state, that behind a whole batch,
// and later ones are no older.
//
// Each batch first opens so many accounts, and later deposits the same amount
// into each account of one holder. So the number of accounts is a multiple of
// the batch, and that holder's balances are all the same.
func TestReader_ConsistentDuringProjection(t *testing.T) {
	onEngines(t, testReaderConsistentDuringProjection)
}

func testReaderConsistentDuringProjection(t *testing.T, newScene func(testing.TB) *scene) {
	const batch, batches = readmodel.WholeMax + 20, 5
	s, h := newScene(t), newHistory()
	h.open("first", "Somebody", money("1.00 EUR")) // the first run has one record more
	for b := range batches {
		for i := range batch {
			h.open(fmt.Sprintf("%d-%03d", b, i), fmt.Sprint("Holder ", b), money("1.00 EUR"))
		}
	}
	for range batches {
		for i := range batch {
			h.deposit(fmt.Sprintf("0-%03d", i), money("1.00 EUR"))
		}
	}
	tp := topic("t1")
	tp.Partitions = 1
	tp.Publish(0, h.events...)

	ctx, stop := context.WithCancel(t.Context())
	var readers sync.WaitGroup
	seen := make(chan error, 2)
	readers.Go(func() { seen <- watch(ctx, s.reader.FindAccounts, wholeBatches(batch)) })
	byHolder := func(ctx context.Context) (*readmodel.Accounts, error) {
		return s.reader.FindAccountsByHolder(ctx, "Holder 0")
	}
	readers.Go(func() { seen <- watch(ctx, byHolder, sameBalances(batch)) })

	require.NoError(t, s.projection(batch).RunToEnd(t.Context(), tp, tp.Topic))
	stop()
	readers.Wait()
	require.NoError(t, <-seen)
	require.NoError(t, <-seen)
	found, err := s.reader.FindAccountsByHolder(t.Context(), "Holder 0")
	accounts := all(t, found, err)
	require.Len(t, accounts, batch)
	require.Equal(t, money("6.00 EUR"), accounts[0].Balance)
}

// watch reads a list again and again until ctx ends, and gives it to check.
func watch(
	ctx context.Context, find func(context.Context) (*readmodel.Accounts, error), check func([]readmodel.Account) error,
) error {
	for ctx.Err() == nil {
		found, err := find(context.WithoutCancel(ctx))
		if err != nil {
			return err
		}
		var accounts []readmodel.Account
		for a, err := range found.All() {
			if err != nil {
				return err
			}
			accounts = append(accounts, a)
		}
		found.Close()
		if found.Count() != int64(len(accounts)) {
			return fmt.Errorf("%d accounts were promised, %d came", found.Count(), len(accounts))
		}
		if err := check(accounts); err != nil {
			return err
		}
	}
	return nil
}

func wholeBatches(batch int) func([]readmodel.Account) error {
	before := 0
	return func(accounts []readmodel.Account) error {
		n := len(accounts)
		if n > 0 && n%batch != 1 || n < before {
			return fmt.Errorf("%d accounts, after %d", n, before)
		}
		before = n
		return nil
	}
}

func sameBalances(batch int) func([]readmodel.Account) error {
	var before int64
	return func(accounts []readmodel.Account) error {
		if n := len(accounts); n != 0 && n != batch {
			return fmt.Errorf("%d accounts", n)
		}
		for _, a := range accounts {
			if a.Balance != accounts[0].Balance || a.Version < before {
				return fmt.Errorf("%s, version %d, beside %s, after version %d", a.Balance, a.Version, accounts[0].Balance, before)
			}
		}
		if len(accounts) > 0 {
			before = accounts[0].Version
		}
		return nil
	}
}
