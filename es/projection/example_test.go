package projection_test

import (
	"context"
	"database/sql"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"passbook/engine/sqlite"
	"passbook/es/event"
	"passbook/es/projection"
	"passbook/es/projection/projectiontest"
)

// moneyMoved is the only kind of event here.
type moneyMoved struct{ Cents int64 }

// balances is a read model: one row for each account, with its balance, and one
// for each event, with its id.
type balances struct{ codec *event.Codec }

const balancesTables = `
	CREATE TABLE balance (account TEXT PRIMARY KEY, cents INTEGER NOT NULL, version INTEGER NOT NULL);
	CREATE TABLE entry (account TEXT, version INTEGER, event_id TEXT NOT NULL, PRIMARY KEY (account, version))`

// Heads says how far each account has come.
func (balances) Heads(ctx context.Context, tx *sql.Tx, accounts []string) (map[string]projection.Head, error) {
	heads := make(map[string]projection.Head)
	for _, account := range accounts {
		var head projection.Head
		err := tx.QueryRowContext(ctx, `SELECT version, event_id FROM entry WHERE account = ?
			ORDER BY version DESC LIMIT 1`, account).Scan(&head.Version, &head.EventID)
		switch err {
		case nil:
			heads[account] = head
		case sql.ErrNoRows:
		default:
			return nil, err
		}
	}
	return heads, nil
}

// EventIDs says which events made the rows what they are.
func (balances) EventIDs(
	ctx context.Context, tx *sql.Tx, refs []projection.Ref,
) (map[projection.Ref]string, error) {
	ids := make(map[projection.Ref]string)
	for _, ref := range refs {
		var id string
		err := tx.QueryRowContext(ctx, `SELECT event_id FROM entry WHERE account = ? AND version = ?`,
			ref.Stream, ref.Version).Scan(&id)
		if err != nil {
			return nil, err
		}
		ids[ref] = id
	}
	return ids, nil
}

// Apply writes an entry for each event and one balance for each account.
func (m balances) Apply(ctx context.Context, tx *sql.Tx, events []event.Envelope) error {
	moved := make(map[string]int64)
	last := make(map[string]int64)
	count := make(map[string]int64)
	for _, e := range events {
		payload, err := projection.Decode(m.codec, e)
		if err != nil {
			return err // parks this account, and the others flow
		}
		moved[e.Stream] += payload.(moneyMoved).Cents
		last[e.Stream] = e.Version
		count[e.Stream]++
		_, err = tx.ExecContext(ctx, `INSERT INTO entry VALUES (?, ?, ?)`, e.Stream, e.Version, e.ID)
		if err != nil {
			return err
		}
	}
	for account, cents := range moved {
		// The condition on the version stands in the statement.
		result, err := tx.ExecContext(ctx, `INSERT INTO balance VALUES (?1, ?2, ?3) ON CONFLICT (account) DO UPDATE
			SET cents = cents + ?2, version = ?3 WHERE version = ?3 - ?4`, account, cents, last[account], count[account])
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil || n != 1 {
			return fmt.Errorf("balance of %s was changed by another: %w", account, err)
		}
	}
	return nil
}

// A read model of balances follows a topic in which an event is repeated, one
// comes late and one is of a schema that this program does not know.
func Example() {
	ctx := context.Background()
	folder, err := os.MkdirTemp("", "projection")
	check(err)
	defer os.RemoveAll(folder)
	store, err := sqlite.OpenProjectionStore(ctx, filepath.Join(folder, "readmodel.db"), sqlite.Rebuildable)
	check(err)
	defer store.Close()
	_, err = store.DB().ExecContext(ctx, balancesTables)
	check(err)
	codec, err := event.NewCodec(event.Define[moneyMoved]("example.money.moved", 1))
	check(err)

	moved := func(account string, version int64, schema int) event.Envelope {
		return event.Envelope{
			ID: fmt.Sprintf("%s-%d", account, version), Stream: account, Version: version, Position: version + 1,
			Type: event.Type{Name: "example.money.moved", Schema: schema}, Data: []byte(`{"Cents": 100}`),
		}
	}
	topic := projectiontest.NewTopic("topic", 1, projectiontest.NewHistory("history"))
	topic.Publish(0, moved("alice", 0, 1), moved("bob", 0, 1), moved("alice", 0, 1)) // repeated
	topic.Publish(0, moved("alice", 2, 1), moved("alice", 1, 1))                     // late
	topic.Publish(0, moved("bob", 1, 2), moved("bob", 2, 1))                         // not known

	p, err := projection.New("balances", store, balances{codec}, projection.Config{})
	check(err)
	check(p.RunToEnd(ctx, topic, topic.Topic))

	rows, err := store.DB().QueryContext(ctx, `SELECT account, cents, version FROM balance ORDER BY account`)
	check(err)
	defer rows.Close()
	for rows.Next() {
		var account string
		var cents, version int64
		check(rows.Scan(&account, &cents, &version))
		fmt.Println(account, "has", cents, "at version", version)
	}
	parked, err := p.Parked(ctx, "", 10)
	check(err)
	for _, s := range parked {
		fmt.Println(s.Stream, "is parked at version", s.Version, "with", s.Queued, "events:", s.Error)
	}
	// Output:
	// alice has 300 at version 2
	// bob has 100 at version 0
	// bob is parked at version 1 with 2 events: unknown event type: example.money.moved.v2 is newer than schema 1, the newest that this program knows
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
