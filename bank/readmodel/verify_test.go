package readmodel_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"passbook/bank/readmodel"
	"passbook/es/verify"
)

// What is stored is, to the letter, what the fold of the events writes down, on
// every engine; and pages are as long as they may be and leave nothing out.
func TestVerification_CellsAreThoseOfTheFold(t *testing.T) {
	onEngines(t, testVerificationCellsAreThoseOfTheFold)
}

func testVerificationCellsAreThoseOfTheFold(t *testing.T, newScene func(testing.TB) *scene) {
	s, h := newScene(t), newHistory()
	for i, amount := range []string{"12 JPY", "12.50 EUR", "0.001 KWD", "999999999999.9999 CLF"} {
		id := fmt.Sprint("a", i)
		h.open(id, "Zoë Müller ", money(amount))
		h.withdraw(id, money(amount), "Rent, “May”")
		h.deposit(id, money(amount))
		h.close(id)
	}
	// An event that is earlier than the one before it.
	h.open("back", "Holder", money("1.00 EUR"))
	h.deposit("back", money("1.00 EUR"))
	h.events[len(h.events)-1].Time = started.Add(-time.Hour)
	for i := range 300 { // more than a page has
		h.open(fmt.Sprintf("many-%03d", i), "Holder", money("1.00 EUR"))
	}
	require.NoError(t, s.apply(h.events...))

	verification, err := readmodel.NewVerification(s.store, s.dialect, s.consumer)
	require.NoError(t, err)
	folds, entries := make(map[string]verify.Fold), make(map[string][]verify.Entry)
	for _, e := range h.events {
		if folds[e.Stream] == nil {
			folds[e.Stream] = verification.Fold(e.Stream)
		}
		entry, err := folds[e.Stream].Apply(e)
		require.NoError(t, err)
		entries[e.Stream] = append(entries[e.Stream], entry)
	}
	require.NoError(t, verification.View(t.Context(), func(v verify.View) error {
		line, err := v.Line(t.Context())
		require.NoError(t, err)
		require.NotEmpty(t, line)
		seen, pages := 0, 0
		for after := (verify.Cursor{}); ; pages++ {
			page, err := v.Page(t.Context(), after)
			require.NoError(t, err)
			for _, part := range page.Parts {
				seen++
				require.NotNil(t, part.Row, part.Stream)
				require.Equal(t, folds[part.Stream].Row(), *part.Row, part.Stream)
				require.Equal(t, entries[part.Stream], part.Entries, part.Stream)
				require.Len(t, part.Row.Cells, len(verification.RowColumns()))
				require.Len(t, part.Entries[0].Cells, len(verification.EntryColumns()))
			}
			if page.Next == nil {
				break
			}
			after = *page.Next
		}
		require.Equal(t, len(folds), seen)
		require.Positive(t, pages)
		return nil
	}))
}
