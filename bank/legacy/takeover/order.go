package takeover

import (
	"context"
	"crypto/sha256"
	"slices"
)

// order has the events of the accounts that are put in the order of their
// versions; the zero value has none.
type order struct {
	accounts map[string][]*record
	sum      []byte // of the source; nil if it was not read
}

// readOrder finds the accounts that renumber-by-version concerns, and their
// events.
func readOrder(ctx context.Context, source Source, rules Rules, progress func(done int64)) (*order, error) {
	if !rules.has(renumberByVersion, DuplicateVersion, OutOfOrder) {
		return &order{}, nil
	}
	concerned, sum := make(map[string][]*record), sha256.New()
	seen, done := make(map[string]*versions), int64(0)
	for r, err := range records(ctx, source, sum) {
		if err != nil {
			return nil, err
		}
		v := seen[r.account]
		if v == nil {
			v = &versions{}
			seen[r.account] = v
		}
		if r.version >= 0 && rules.has(renumberByVersion, v.see(r.version)) {
			concerned[r.account] = nil
		}
		done++
		progress(done)
	}
	o := &order{accounts: concerned, sum: sum.Sum(nil)}
	return o, o.collect(ctx, source)
}

func (o *order) collect(ctx context.Context, source Source) error {
	sum := sha256.New()
	for r, err := range records(ctx, source, sum) {
		if err != nil {
			return err
		}
		if list, yes := o.accounts[r.account]; yes {
			o.accounts[r.account] = append(list, r)
		}
	}
	if !slices.Equal(sum.Sum(nil), o.sum) {
		return ErrChanged
	}
	for _, list := range o.accounts {
		slices.SortStableFunc(list, func(a, b *record) int { return int(a.version - b.version) })
	}
	return nil
}

// turns hands out the events of one reading of the source.
type turns struct {
	order *order
	at    map[string]int
}

func (o *order) begin() *turns { return &turns{order: o, at: make(map[string]int)} }

// next returns the event whose turn it is in the place of r: r itself, unless its
// account is put in another order.
func (t *turns) next(r *record) (*record, error) {
	list, yes := t.order.accounts[r.account]
	if !yes {
		return r, nil
	}
	i := t.at[r.account]
	if i == len(list) {
		return nil, ErrChanged
	}
	t.at[r.account]++
	return list[i], nil
}
