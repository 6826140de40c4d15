package readmodel

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"

	"passbook/es/checkpoint"
	"passbook/es/event"
	"passbook/es/projection"
	"passbook/es/verify"
)

// Side is what comparing a read side takes of its store. Every
// projection.Store[*sql.Tx] is one.
type Side interface {
	View(ctx context.Context, fn func(tx *sql.Tx) error) error
	Checkpoints(ctx context.Context, tx *sql.Tx, consumer string) ([]checkpoint.Progress, error)
	ParkedStream(ctx context.Context, tx *sql.Tx, consumer, stream string) (projection.Parked, error)
	ParkedStreams(ctx context.Context, tx *sql.Tx, consumer, after string, limit int) ([]projection.Parked, error)
	Discarded(ctx context.Context, tx *sql.Tx, consumer, stream string) ([]projection.Discarded, error)
	Discards(ctx context.Context, tx *sql.Tx, consumer string, after projection.Discarded, limit int) ([]projection.Discarded, error)
}

// lined is a Side that can have another set of tables.
type lined interface {
	Line(ctx context.Context, tx *sql.Tx) (live, next string, err error)
}

// Verification is the live tables as verify compares them: it reads what is
// stored, to the letter, and says by Model's own rules how it must be. Safe for
// concurrent use.
type Verification struct {
	side     Side
	consumer string
	model    *Model
	sql      verifyStatements
}

var _ verify.Model = (*Verification)(nil)

// NewVerification returns the live tables in a read side that speaks dialect,
// filled by the projection of that name.
func NewVerification(side Side, dialect Dialect, consumer string) (*Verification, error) {
	model, err := NewModel(dialect, LiveTables())
	if err != nil {
		return nil, err
	}
	return &Verification{side: side, consumer: consumer, model: model, sql: model.sql.verify}, nil
}

// View implements verify.Model.
func (m *Verification) View(ctx context.Context, fn func(v verify.View) error) error {
	return m.side.View(ctx, func(tx *sql.Tx) error { return fn(&verifyView{Verification: m, tx: tx}) })
}

// RowColumns implements verify.Model.
func (m *Verification) RowColumns() []string { return verifyRowColumns }

// EntryColumns implements verify.Model.
func (m *Verification) EntryColumns() []string { return verifyEntryColumns }

// Fold implements verify.Model.
func (m *Verification) Fold(stream string) verify.Fold {
	return &verifyFold{codec: m.model.codec, change: newChange(stream, nil)}
}

// verifyFold applies events as Model does, and writes rows and entries down as
// it would store them.
type verifyFold struct {
	codec  *event.Codec
	change *change
}

// Apply implements verify.Fold.
func (f *verifyFold) Apply(e event.Envelope) (verify.Entry, error) {
	if err := f.change.apply(f.codec, []event.Envelope{e}); err != nil {
		if u, ok := errors.AsType[*projection.Unapplicable](err); ok {
			err = u.Err // the report names the event
		}
		return verify.Entry{}, err
	}
	line := f.change.entries[0]
	since := "" // as the event's own time
	if !line.since.Equal(line.Time) {
		since = formatTime(line.since)
	}
	return verify.Entry{Version: line.Version, Cells: []string{
		number(line.Version), line.EventID, formatTime(line.Time), string(line.Kind), quoted(amountOrNull(line.Amount)),
		line.Balance.Amount(), quoted(textOrNull(line.Reference)), number(line.Position), quoted(textOrNull(since)),
	}}, nil
}

// Row implements verify.Fold. An event must have been applied.
func (f *verifyFold) Row() verify.Row {
	a := &f.change.next
	ordinal, _ := a.Type.Ordinal() // there is one: the opening was taken
	return verify.Row{Version: a.Version, Position: a.Position, Cells: []string{
		a.Holder, formatTime(a.CreatedAt), strconv.Itoa(ordinal), a.Balance.Amount(), a.Balance.Currency().Code(),
		string(a.Status), number(a.Version), a.EventID, number(a.Position), formatTime(a.UpdatedAt), number(units(a.Balance)),
	}}
}

func number(n int64) string { return strconv.FormatInt(n, 10) }

// quoted tells an empty text from none.
func quoted(text sql.NullString) string {
	if !text.Valid {
		return "none"
	}
	return strconv.Quote(text.String)
}

// verifyView is a Verification within a transaction.
type verifyView struct {
	*Verification
	tx *sql.Tx
}

// Line implements verify.View.
func (v *verifyView) Line(ctx context.Context) (string, error) {
	side, ok := v.side.(lined)
	if !ok {
		return "", nil
	}
	live, _, err := side.Line(ctx, v.tx)
	return live, wrapVerify("line", err)
}

// Checkpoints implements verify.View.
func (v *verifyView) Checkpoints(ctx context.Context) ([]checkpoint.Progress, error) {
	all, err := v.side.Checkpoints(ctx, v.tx, v.consumer)
	return all, wrapVerify("checkpoints", err)
}

// Heads implements verify.View.
func (v *verifyView) Heads(ctx context.Context, streams []string) (map[string]projection.Head, error) {
	return v.model.Heads(ctx, v.tx, streams)
}

// ParkedStream implements verify.View.
func (v *verifyView) ParkedStream(ctx context.Context, stream string) (projection.Parked, bool, error) {
	parked, err := v.side.ParkedStream(ctx, v.tx, v.consumer, stream)
	if errors.Is(err, projection.ErrNotParked) {
		return parked, false, nil
	}
	return parked, err == nil, wrapVerify("parked streams", err)
}

// ParkedStreams implements verify.View.
func (v *verifyView) ParkedStreams(ctx context.Context, after string, limit int) ([]projection.Parked, error) {
	all, err := v.side.ParkedStreams(ctx, v.tx, v.consumer, after, limit)
	return all, wrapVerify("parked streams", err)
}

// Discarded implements verify.View.
func (v *verifyView) Discarded(ctx context.Context, stream string) ([]projection.Discarded, error) {
	all, err := v.side.Discarded(ctx, v.tx, v.consumer, stream)
	return all, wrapVerify("discarded events", err)
}

// Discards implements verify.View.
func (v *verifyView) Discards(ctx context.Context, after projection.Discarded, limit int) ([]projection.Discarded, error) {
	all, err := v.side.Discards(ctx, v.tx, v.consumer, after, limit)
	return all, wrapVerify("discarded events", err)
}

func wrapVerify(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("read model: %s: %w", what, err)
}
