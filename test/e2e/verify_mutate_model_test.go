package e2e_test

import (
	"math/rand/v2"
	"testing"

	"passbook/es/event"
	"passbook/es/verify"
)

// accounts and entries as a copy takes them.
const (
	copiedAccount = `account_holder, creation_date, account_type, balance, currency, status, version, event_id, position, updated_at, balance_units`
	copiedEntry   = `event_id, time, kind, amount, balance, reference, position, since`
)

// anyOf adds a kind of mutation for each of the changes.
func anyOf(all map[string]mutate, name string, changes map[string]string, with func(column, expression string) mutate) {
	for column, expression := range changes {
		all[name+": "+column+" = "+expression] = with(column, expression)
	}
}

func rowMutations() map[string]mutate {
	changes := map[string]string{
		"account_holder": "account_holder || ' '", "creation_date": "replace(creation_date, 'Z', '1Z')", "account_type": "1 - account_type",
		"balance": "balance || '0'", "currency": "'USD'", "status": "CASE status WHEN 'OPEN' THEN 'CLOSED' ELSE 'OPEN' END",
		"version": "version + 1", "event_id": "event_id || '0'", "position": "position + 1", "updated_at": "'never'", "balance_units": "balance_units + 1",
	}
	all := map[string]mutate{
		"row set back": func(t *testing.T, rng *rand.Rand, w *whole) mutation {
			t.Helper()
			e := w.last(w.anEvent(rng).Stream)
			// Its last entry lies beyond it, and its last event is missing.
			alter(t, w.read(), "UPDATE bank_account SET version = version - 1 WHERE id = ?", e.Stream)
			return ofEvent(e, verify.InReadModel, 4, "version - 1").as(verify.Invented, verify.Altered, verify.Missing)
		},
		"row missing": func(t *testing.T, rng *rand.Rand, w *whole) mutation {
			t.Helper()
			e := w.last(w.anEvent(rng).Stream)
			alter(t, w.read(), "DELETE FROM bank_account WHERE id = ?", e.Stream)
			return ofEvent(e, verify.InReadModel, e.Version+3, "only the row").as(verify.Missing)
		},
		"row and entries missing": func(t *testing.T, rng *rand.Rand, w *whole) mutation {
			t.Helper()
			e := w.last(w.anEvent(rng).Stream)
			alter(t, w.read(), "DELETE FROM bank_account WHERE id = ?", e.Stream)
			alter(t, w.read(), "DELETE FROM account_entry WHERE account_id = ?", e.Stream)
			return ofEvent(e, verify.InReadModel, e.Version+1, "and its entries").as(verify.Missing)
		},
		"row invented": func(t *testing.T, rng *rand.Rand, w *whole) mutation {
			t.Helper()
			e := w.last(w.anEvent(rng).Stream)
			alter(t, w.read(), "INSERT INTO bank_account (id, "+copiedAccount+") SELECT 'zz', "+copiedAccount+" FROM bank_account WHERE id = ?", e.Stream)
			e.Stream = "zz"
			if rng.IntN(2) == 0 {
				return ofEvent(e, verify.InReadModel, 1, "without entries")
			}
			alter(t, w.read(), "INSERT INTO account_entry (account_id, version, "+copiedEntry+") SELECT 'zz', version, "+copiedEntry+
				" FROM account_entry WHERE account_id = ?", w.last(w.anEvent(rng).Stream).Stream)
			return ofEvent(e, verify.InReadModel, 1000, "with entries")
		},
	}
	anyOf(all, "row", changes, func(column, expression string) mutate {
		return func(t *testing.T, rng *rand.Rand, w *whole) mutation {
			t.Helper()
			e, kind := w.last(w.anEvent(rng).Stream), verify.Altered
			if column == "version" {
				e.Version++ // that is what it claims
				kind = verify.Invented
			}
			alter(t, w.read(), "UPDATE bank_account SET "+column+" = "+expression+" WHERE id = ?", e.Stream)
			return ofEvent(e, verify.InReadModel, 1, "").as(kind)
		}
	})
	return all
}

func entryMutations() map[string]mutate {
	changes := map[string]string{
		"event_id": "event_id || '0'", "time": "replace(time, 'Z', '')", "kind": "lower(kind)", "amount": "coalesce(amount, '') || '1'",
		"balance": "'-' || balance", "reference": "coalesce(reference, '') || ''''", "position": "position - 1", "since": "'x'",
	}
	all := map[string]mutate{
		"entry missing": func(t *testing.T, rng *rand.Rand, w *whole) mutation {
			t.Helper()
			e := w.anEvent(rng)
			alter(t, w.read(), "DELETE FROM account_entry WHERE account_id = ? AND version = ?", e.Stream, e.Version)
			return ofEvent(e, verify.InReadModel, 1, "").as(verify.Missing)
		},
		"entry doubled": func(t *testing.T, rng *rand.Rand, w *whole) mutation {
			t.Helper()
			e := w.anEvent(rng)
			as := []int64{w.last(e.Stream).Version + 1, w.last(e.Stream).Version + 100, -1, -7}[rng.IntN(4)]
			alter(t, w.read(), "INSERT INTO account_entry (account_id, version, "+copiedEntry+") SELECT account_id, ?, "+copiedEntry+
				" FROM account_entry WHERE account_id = ? AND version = ?", as, e.Stream, e.Version)
			return ofEvent(event.Envelope{Stream: e.Stream, Version: as}, verify.InReadModel, 1, "version %d as %d", e.Version, as).as(verify.Invented)
		},
		"entry of nobody":              entryTo("zz", func(rng *rand.Rand, w *whole) event.Envelope { return w.anEvent(rng) }),
		"entry before everything else": entryTo("", func(_ *rand.Rand, w *whole) event.Envelope { return w.events[0] }),
		"entry of another account": func(t *testing.T, rng *rand.Rand, w *whole) mutation {
			t.Helper()
			e := w.anEvent(rng)
			alter(t, w.read(), "UPDATE account_entry SET account_id = account_id || 'x' WHERE account_id = ? AND version = ?", e.Stream, e.Version)
			return ofEvent(e, verify.InReadModel, 3, "").as(verify.Missing, verify.Invented)
		},
	}
	anyOf(all, "entry", changes, func(column, expression string) mutate {
		return func(t *testing.T, rng *rand.Rand, w *whole) mutation {
			t.Helper()
			e := w.anEvent(rng)
			alter(t, w.read(), "UPDATE account_entry SET "+column+" = "+expression+" WHERE account_id = ? AND version = ?", e.Stream, e.Version)
			return ofEvent(e, verify.InReadModel, 1, "").as(verify.Altered)
		}
	})
	return all
}

// entryTo copies an entry to an account that is not there.
func entryTo(id string, choose func(rng *rand.Rand, w *whole) event.Envelope) mutate {
	return func(t *testing.T, rng *rand.Rand, w *whole) mutation {
		t.Helper()
		e := choose(rng, w)
		alter(t, w.read(), "INSERT INTO account_entry (account_id, version, "+copiedEntry+") SELECT ?, version, "+copiedEntry+
			" FROM account_entry WHERE account_id = ? AND version = ?", id, e.Stream, e.Version)
		return ofEvent(event.Envelope{Stream: id, Version: e.Version}, verify.InReadModel, 2, "version %d to %q", e.Version, id)
	}
}
