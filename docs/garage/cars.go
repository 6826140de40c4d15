package main

import (
	"context"
	"database/sql"

	"passbook/es/event"
	"passbook/es/projection"
)

const carsTable = `CREATE TABLE IF NOT EXISTS car (plate TEXT PRIMARY KEY, since TEXT NOT NULL)`

// project keeps the table of the cars that are inside.
func project(codec *event.Codec) func(context.Context, *sql.Tx, event.Envelope) error {
	return func(ctx context.Context, tx *sql.Tx, e event.Envelope) error {
		payload, err := projection.Decode(codec, e)
		if err != nil {
			return err
		}
		switch p := payload.(type) {
		case CarEntered:
			_, err = tx.ExecContext(ctx, `INSERT INTO car VALUES (?, ?)`, p.Plate, e.Time.Format("15:04"))
		case CarLeft:
			_, err = tx.ExecContext(ctx, `DELETE FROM car WHERE plate = ?`, p.Plate)
		}
		return err
	}
}
