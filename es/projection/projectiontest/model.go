package projectiontest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"passbook/es/event"
	"passbook/es/projection"
)

// errVersion: a row was not at the version that a write expected.
var errVersion = errors.New("row was changed by another")

// Tally is a read model on the Rows of any engine: a row for each stream with
// the ids of its events, in order, and the sum of their payloads.
type Tally[Tx any] struct {
	Rows Rows[Tx]
	// Fails, if it is there, says which events cannot be applied.
	Fails func(e event.Envelope) error
}

// Row is a row of a Tally. Its version is one less than the number of its ids;
// that of an event that was discarded is empty.
type Row struct {
	IDs []string
	Sum int64
}

func (m Tally[Tx]) row(ctx context.Context, tx Tx, stream string) (row Row, text string, err error) {
	text, err = m.Rows.Get(ctx, tx, stream)
	if err == nil && text != "" {
		err = json.Unmarshal([]byte(text), &row)
	}
	return row, text, err
}

// Heads implements projection.Model.
func (m Tally[Tx]) Heads(ctx context.Context, tx Tx, streams []string) (map[string]projection.Head, error) {
	heads := make(map[string]projection.Head)
	for _, stream := range streams {
		row, _, err := m.row(ctx, tx, stream)
		if err != nil {
			return nil, err
		}
		if n := len(row.IDs); n > 0 {
			heads[stream] = projection.Head{Version: int64(n) - 1, EventID: row.IDs[n-1]}
		}
	}
	return heads, nil
}

// EventIDs implements projection.Model.
func (m Tally[Tx]) EventIDs(ctx context.Context, tx Tx, refs []projection.Ref) (map[projection.Ref]string, error) {
	ids := make(map[projection.Ref]string)
	for _, ref := range refs {
		row, _, err := m.row(ctx, tx, ref.Stream)
		if err != nil {
			return nil, err
		}
		if ref.Version < int64(len(row.IDs)) && row.IDs[ref.Version] != "" {
			ids[ref] = row.IDs[ref.Version]
		}
	}
	return ids, nil
}

// Apply implements projection.Model.
func (m Tally[Tx]) Apply(ctx context.Context, tx Tx, events []event.Envelope) error {
	var streams []string
	byStream := make(map[string][]event.Envelope)
	for _, e := range events {
		if m.Fails != nil {
			if err := m.Fails(e); err != nil {
				return err
			}
		}
		if byStream[e.Stream] == nil {
			streams = append(streams, e.Stream)
		}
		byStream[e.Stream] = append(byStream[e.Stream], e)
	}
	for _, stream := range streams {
		if err := m.fold(ctx, tx, stream, byStream[stream]); err != nil {
			return err
		}
	}
	return nil
}

func (m Tally[Tx]) fold(ctx context.Context, tx Tx, stream string, events []event.Envelope) error {
	row, old, err := m.row(ctx, tx, stream)
	if err != nil {
		return err
	}
	row.IDs = slices.Clone(row.IDs)
	for _, e := range events {
		if e.Version < int64(len(row.IDs)) {
			return fmt.Errorf("%w: stream %s is at %d, event %s has %d", errVersion, stream, len(row.IDs)-1, e.ID, e.Version)
		}
		amount, err := strconv.ParseInt(string(e.Data), 10, 64)
		if err != nil {
			return projection.NewUnapplicable(e, err)
		}
		hole := make([]string, e.Version-int64(len(row.IDs)))
		row.IDs, row.Sum = append(append(row.IDs, hole...), e.ID), row.Sum+amount
	}
	text, err := json.Marshal(row)
	if err != nil {
		return err
	}
	swapped, err := m.Rows.Swap(ctx, tx, stream, old, string(text))
	if err == nil && !swapped {
		return fmt.Errorf("%w: stream %s", errVersion, stream)
	}
	return err
}
