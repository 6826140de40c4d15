package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"passbook/bank/commandapi"
	contract "passbook/contract/account"
	"passbook/es/event"
	"passbook/es/eventstore"
)

// checkPage is how many events of a back-up are read at once.
const checkPage = 1000

// checkEvents reads every event of a store, makes sense of it, and adds up the
// balances: SQLite's own check sees no difference between an amount and a damaged
// one. Events that this program does not know may be those of a newer one.
func checkEvents(ctx context.Context, store eventstore.Engine, name string) error {
	codec := commandapi.Definition().Codec
	balances := make(map[string]contract.Money)
	for position := int64(0); ; {
		page, err := store.ReadAll(ctx, position, checkPage)
		if err != nil || len(page) == 0 {
			return err //nolint:wrapcheck // it names the file
		}
		for _, e := range page {
			if err := checkEvent(codec, balances, e); err != nil {
				return fmt.Errorf("%s is damaged: the event at position %d (account %s, version %d): %w: take another back-up",
					name, e.Position, e.Stream, e.Version, err)
			}
		}
		position = page[len(page)-1].Position
	}
}

var errBalance = errors.New("its balance is not what the amounts add up to")

// checkEvent makes sense of an event and keeps the balance behind it.
func checkEvent(codec *event.Codec, balances map[string]contract.Money, e event.Envelope) error {
	payload, err := codec.Decode(e.Type, e.Data)
	if errors.Is(err, event.ErrUnknownType) && json.Valid(e.Data) {
		delete(balances, e.Stream) // what it did is not known
		return nil
	}
	if err != nil {
		return err //nolint:wrapcheck // it names the type and what is wrong
	}
	before, known := balances[e.Stream]
	after, want := before, before
	switch p := payload.(type) {
	case contract.Opened:
		after, want = p.OpeningBalance, p.OpeningBalance
	case contract.Deposited:
		after = p.Balance
		want, err = before.Add(p.Amount)
	case contract.Withdrawn:
		after = p.Balance
		want, err = before.Sub(p.Amount)
	}
	if known && (err != nil || want != after) {
		return errBalance
	}
	balances[e.Stream] = after
	return nil
}
