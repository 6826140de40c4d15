package projection

import (
	"context"
	"maps"
	"slices"

	"passbook/es/event"
)

// verdict is what the gate says of an event.
type verdict int

const (
	// duplicate: this very event was applied.
	duplicate verdict = iota
	// next: it is right behind the head.
	next
	// gap: an event between the head and this one is missing.
	gap
	// difference: another event was applied at its version.
	difference
)

// gate compares events with what the rows say, and with what of the same
// transaction is already on its way to them.
type gate struct {
	heads map[string]Head
	// rows are what a RowModel has read with the heads.
	rows any
	// ids are those of applied events below the heads, as far as asked for.
	ids map[Ref]string
	// passed are the events that were discarded.
	passed discards
}

// loadGate asks the model for what judging these events takes.
func loadGate[Tx any](
	ctx context.Context, tx Tx, model Model[Tx], events []event.Envelope, discarded []Discarded,
) (*gate, error) {
	heads, rows, err := loadHeads(ctx, tx, model, streamsOf(events))
	if err != nil {
		return nil, err
	}
	g := &gate{heads: make(map[string]Head, len(heads)), rows: rows, ids: make(map[Ref]string), passed: newDiscards(discarded)}
	maps.Copy(g.heads, heads)
	var below []Ref
	asked := make(map[Ref]bool)
	for _, e := range events {
		if ref := refOf(e); e.Version < g.head(e.Stream).Version && !asked[ref] {
			asked[ref] = true
			below = append(below, ref)
		}
	}
	if len(below) == 0 {
		return g, nil
	}
	ids, err := model.EventIDs(ctx, tx, below)
	if err != nil {
		return nil, err
	}
	maps.Copy(g.ids, ids)
	return g, nil
}

func loadHeads[Tx any](
	ctx context.Context, tx Tx, model Model[Tx], streams []string,
) (heads map[string]Head, rows any, err error) {
	if m, ok := model.(RowModel[Tx]); ok {
		return m.Rows(ctx, tx, streams)
	}
	heads, err = model.Heads(ctx, tx, streams)
	return heads, nil, err
}

func (g *gate) head(stream string) Head {
	if head, ok := g.heads[stream]; ok {
		return head
	}
	return Head{Version: event.NoVersion}
}

// reach returns the version up to which a stream has nothing missing: that of
// its head, and beyond it what was discarded.
func (g *gate) reach(stream string) int64 { return g.passed.reach(stream, g.head(stream).Version) }

// judge says what is to become of e. One that was discarded counts as applied,
// wherever it comes. Another event at its version is judged as if that had not
// been there: it may be the right one of two that claimed the version, and a
// line that is built anew may meet them in another order.
func (g *gate) judge(e event.Envelope) verdict {
	head := g.head(e.Stream)
	switch {
	case g.passed.has(e):
		return duplicate
	case e.Version > g.reach(e.Stream)+1:
		return gap
	case e.Version > head.Version+1: // nothing but discarded events between
		return next
	case e.Version == head.Version+1:
		return next
	case e.Version == head.Version && e.ID == head.EventID:
		return duplicate
	case e.Version < head.Version && e.ID == g.ids[refOf(e)]:
		return duplicate
	}
	return difference
}

// pass moves the head of a stream to e.
func (g *gate) pass(e event.Envelope) {
	if head, ok := g.heads[e.Stream]; ok {
		g.ids[Ref{Stream: e.Stream, Version: head.Version}] = head.EventID
	}
	g.heads[e.Stream] = Head{Version: e.Version, EventID: e.ID}
}

func refOf(e event.Envelope) Ref { return Ref{Stream: e.Stream, Version: e.Version} }

// streamsOf returns the streams of events, each once, ascending.
func streamsOf(events []event.Envelope) []string {
	streams := make([]string, 0, len(events))
	for _, e := range events {
		streams = append(streams, e.Stream)
	}
	slices.Sort(streams)
	return slices.Compact(streams)
}
