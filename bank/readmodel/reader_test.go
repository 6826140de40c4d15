package readmodel_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"passbook/bank/readmodel"
	"passbook/contract/account"
)

func TestReader_FindAccountByID(t *testing.T) { onEngines(t, testReaderFindAccountByID) }

func testReaderFindAccountByID(t *testing.T, newScene func(testing.TB) *scene) {
	s, h := newScene(t), newHistory()
	h.open("a", "Zoë Müller", money("12.50 EUR"))
	h.deposit("a", money("0.01 EUR"))
	require.NoError(t, s.apply(h.events...))

	a, err := s.reader.FindAccountByID(t.Context(), "a")
	require.NoError(t, err)
	require.Equal(t, readmodel.Account{
		ID: "a", Holder: "Zoë Müller", Type: account.Savings, Status: account.StatusOpen, Balance: money("12.51 EUR"),
		CreatedAt: h.events[0].Time, UpdatedAt: h.events[1].Time, Version: 1, EventID: "a/1", Position: 2,
	}, a)
	for _, id := range []string{"", "A", "b", "a ", `a' OR '1'='1`} {
		_, err = s.reader.FindAccountByID(t.Context(), id)
		require.ErrorIs(t, err, readmodel.ErrNotFound, "%q", id)
	}
	require.NoError(t, s.apply(h.close("a")))
	a, err = s.reader.FindAccountByID(t.Context(), "a")
	require.NoError(t, err)
	require.Equal(t, account.StatusClosed, a.Status, "it is still there")
}

// The names are other ones, for a computer; each has an account.
func TestReader_FindAccountsByHolder(t *testing.T) { onEngines(t, testReaderFindAccountsByHolder) }

func testReaderFindAccountsByHolder(t *testing.T, newScene func(testing.TB) *scene) {
	s, h := newScene(t), newHistory()
	holders := []string{"John Doe", "john doe", "JOHN DOE", "John  Doe", "John Doe ", "Zoë", "Zoe\u0308", "a/b", "%", "名前"}
	for i, holder := range holders {
		h.open(strconv.Itoa(i), holder, money("1.00 EUR"))
	}
	h.open("second", "John Doe", money("1.00 EUR"))
	h.open("closed", "John Doe", money("1.00 EUR"))
	h.close("closed")
	require.NoError(t, s.apply(h.events...))
	for i, holder := range holders {
		found, err := s.reader.FindAccountsByHolder(t.Context(), holder)
		want := []string{strconv.Itoa(i)}
		if i == 0 {
			want = append(want, "second")
		}
		require.Equal(t, want, ids(all(t, found, err)), holder)
	}
	found, err := s.reader.FindAccountsByHolder(t.Context(), "John")
	require.Empty(t, all(t, found, err))
}

// openMany applies the opening of so many accounts, and closes every tenth.
func openMany(t *testing.T, s *scene, accounts int) []string {
	t.Helper()
	open := make([]string, 0, accounts)
	h := newHistory()
	for i := range accounts {
		id := fmt.Sprintf("%05d", (i*7919)%accounts)
		h.open(id, "Holder", money("1.00 EUR"))
		if i%10 == 0 {
			h.close(id)
		} else {
			open = append(open, id)
		}
	}
	require.NoError(t, s.apply(h.events...))
	slices.Sort(open)
	return open
}

// Lists below, at and above the length up to which they are read at once.
func TestReader_Lists(t *testing.T) { onEngines(t, testReaderLists) }

func testReaderLists(t *testing.T, newScene func(testing.TB) *scene) {
	for _, accounts := range []int{0, 1, 11, readmodel.WholeMax * 10 / 9, readmodel.WholeMax*10/9 + 2, 2000} {
		t.Run(strconv.Itoa(accounts), func(t *testing.T) {
			s := newScene(t)
			want := openMany(t, s, accounts)
			for range 3 { // more often than there are turns for long lists
				found, err := s.reader.FindAccounts(t.Context())
				require.Equal(t, want, ids(all(t, found, err)))
				found, err = s.reader.FindAccountsByHolder(t.Context(), "Holder")
				require.ElementsMatch(t, want, ids(all(t, found, err)))
				found, err = s.reader.FindAccountsWithBalance(t.Context(), readmodel.Below, rat("1.0001"))
				require.ElementsMatch(t, want, ids(all(t, found, err)))
			}
			require.Zero(t, s.db.Stats().InUse, "connections are given back")
		})
	}
}

// Long lists take turns, so that connections are left for what is short and for
// who writes; who waits for a turn waits no longer than its context.
func TestReader_LongListsTakeTurns(t *testing.T) { onEngines(t, testReaderLongListsTakeTurns) }

func testReaderLongListsTakeTurns(t *testing.T, newScene func(testing.TB) *scene) {
	s := newScene(t)
	openMany(t, s, 300)
	var held []*readmodel.Accounts
	for range 2 {
		found, err := s.reader.FindAccounts(t.Context())
		require.NoError(t, err)
		held = append(held, found)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	const waiting = 10
	refused := make(chan error, waiting)
	for range waiting {
		go func() {
			_, err := s.reader.FindAccounts(ctx)
			refused <- err
		}()
	}
	require.NoError(t, s.apply(newHistory().open("written", "meanwhile", money("1.00 EUR"))))
	for range waiting {
		_, err := s.reader.FindAccountByID(t.Context(), "written")
		require.NoError(t, err)
	}
	for range waiting {
		err := <-refused
		require.ErrorIs(t, err, readmodel.ErrBusy)
		require.ErrorIs(t, err, context.DeadlineExceeded)
	}
	for _, found := range held {
		found.Close()
		found.Close()
	}
	found, err := s.reader.FindAccounts(t.Context())
	require.Len(t, all(t, found, err), 271)
}

// A list that is left in the middle, or whose context ends, gives everything
// back.
func TestReader_ListNotReadToItsEnd(t *testing.T) { onEngines(t, testReaderListNotReadToItsEnd) }

func testReaderListNotReadToItsEnd(t *testing.T, newScene func(testing.TB) *scene) {
	s := newScene(t)
	openMany(t, s, 300)
	for range 5 {
		found, err := s.reader.FindAccounts(t.Context())
		require.NoError(t, err)
		for _, err := range found.All() {
			require.NoError(t, err)
			break
		}
		found.Close()
		unused := func() bool { return s.db.Stats().InUse == 0 } // what was cancelled is given back soon after
		require.Eventually(t, unused, time.Minute, time.Millisecond)

		ctx, cancel := context.WithCancel(t.Context())
		found, err = s.reader.FindAccounts(ctx)
		require.NoError(t, err)
		var failed error
		read := 0
		for _, err := range found.All() {
			if read++; read == 3 {
				cancel()
				require.Eventually(t, unused, time.Minute, time.Millisecond)
			}
			failed = errors.Join(failed, err)
		}
		found.Close()
		cancel()
		require.ErrorIs(t, failed, readmodel.ErrUnavailable)
		require.ErrorIs(t, failed, context.Canceled)
		require.Equal(t, 4, read, "three accounts and the error")
	}
}

// A statement that is prepared once goes on when its table is another one.
func TestReader_TableIsReplaced(t *testing.T) { onEngines(t, testReaderTableIsReplaced) }

func testReaderTableIsReplaced(t *testing.T, newScene func(testing.TB) *scene) {
	s, h := newScene(t), newHistory()
	require.NoError(t, s.apply(h.open("a", "A", money("1.00 EUR"))))
	find := func() error {
		_, err := s.reader.FindAccountByID(t.Context(), "a")
		return err
	}
	require.NoError(t, find())
	for _, move := range []string{
		`ALTER TABLE bank_account RENAME TO old`,
		`CREATE TABLE bank_account AS SELECT * FROM old WHERE false`,
	} {
		_, err := s.db.Exec(move)
		require.NoError(t, err)
	}
	require.ErrorIs(t, find(), readmodel.ErrNotFound)
	_, err := s.db.Exec(`DROP TABLE bank_account`)
	require.NoError(t, err)
	require.ErrorIs(t, find(), readmodel.ErrUnavailable)
	_, err = s.db.Exec(`ALTER TABLE old RENAME TO bank_account`)
	require.NoError(t, err)
	require.NoError(t, find())
}

func TestReader_ErrUnavailable(t *testing.T) { onEngines(t, testReaderErrUnavailable) }

func testReaderErrUnavailable(t *testing.T, newScene func(testing.TB) *scene) {
	s := newScene(t)
	require.NoError(t, s.reader.Ping(t.Context()))
	require.NoError(t, s.store.Close())
	requireUnavailable := func(err error) {
		t.Helper()
		require.ErrorIs(t, err, readmodel.ErrUnavailable)
		require.ErrorContains(t, err, "database is closed")
	}
	requireUnavailable(s.reader.Ping(t.Context()))
	_, err := s.reader.FindAccountByID(t.Context(), "a")
	requireUnavailable(err)
	_, err = s.reader.FindAccounts(t.Context())
	requireUnavailable(err)
}

// A row that no program of ours wrote is no reason to try again.
func TestReader_ForeignRow(t *testing.T) { onEngines(t, testReaderForeignRow) }

func testReaderForeignRow(t *testing.T, newScene func(testing.TB) *scene) {
	s, h := newScene(t), newHistory()
	h.open("a", "A", money("1.00 EUR"))
	require.NoError(t, s.apply(h.events...))
	for column, value := range map[string]any{"currency": "XXX", "account_type": 7, "creation_date": "yesterday", "updated_at": ""} {
		if s.dialect == readmodel.MySQL && (column == "creation_date" || column == "updated_at") {
			continue // the column takes nothing but times
		}
		before := s.rows("SELECT " + column + " FROM bank_account")[0]
		_, err := s.db.Exec("UPDATE bank_account SET "+column+" = ?", value)
		require.NoError(t, err)
		_, err = s.reader.FindAccountByID(t.Context(), "a")
		require.ErrorContains(t, err, "row of account a was changed from outside", column)
		require.NotErrorIs(t, err, readmodel.ErrUnavailable)
		_, err = s.reader.FindAccounts(t.Context())
		require.ErrorContains(t, err, "row of account a was changed from outside", column)
		require.NotErrorIs(t, err, readmodel.ErrUnavailable)
		_, err = s.db.Exec("UPDATE bank_account SET "+column+" = ?", before)
		require.NoError(t, err)
	}
}
