package verify

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"passbook/es/event"
	"passbook/es/projection"
)

// streamEvents is how many events of a stream are read at once.
const streamEvents = 500

// walk goes along one stream of the store and compares what the read model has
// of it.
type walk struct {
	*attempt
	stream string
	fold   Fold
	// broken says why nothing more can be said of how row and entries must be.
	broken error

	page   []event.Envelope // read and not taken yet
	isRead bool             // to the stream's end
	from   int64            // the version behind those that were read

	last event.Envelope // taken last; Version is event.NoVersion before
	// row is that behind the last event that was taken and not discarded.
	row       Row
	parked    projection.Parked
	isParked  bool
	discarded []projection.Discarded
}

func (a *attempt) walk(stream string) *walk {
	return &walk{
		attempt: a, stream: stream, fold: a.Model.Fold(stream),
		last: event.Envelope{Version: event.NoVersion}, row: Row{Version: event.NoVersion},
	}
}

// know keeps what was set aside of the stream.
func (w *walk) know(parked map[string]projection.Parked, discarded []projection.Discarded) {
	w.parked, w.isParked = parked[w.stream]
	w.discarded = discarded
}

// take compares a part. Everything in it is as of one moment, and the store is
// read after that.
func (w *walk) take(ctx context.Context, p Part, l *leaf) error {
	w.know(l.parked, l.discarded[w.stream])
	w.report.Entries += int64(len(p.Entries))
	last := event.NoVersion
	switch {
	case p.Row != nil:
		last = p.Row.Version
	case len(p.Entries) > 0:
		last = p.Entries[len(p.Entries)-1].Version
	}
	if last < w.row.Version && w.row.Version != event.NoVersion {
		return fmt.Errorf("%w: the row of stream %s went back to version %d", errReplaced, w.stream, last)
	}
	for _, entry := range p.Entries {
		if err := w.entry(ctx, entry, last); err != nil {
			return err
		}
	}
	if p.More {
		return nil
	}
	return w.finish(ctx, p.Row, last, l)
}

// peek returns the next event of the stream, nil at its end.
func (w *walk) peek(ctx context.Context) (*event.Envelope, error) {
	if len(w.page) == 0 && !w.isRead {
		page, err := w.Store.ReadStream(ctx, w.stream, w.from, streamEvents)
		if err != nil {
			return nil, fmt.Errorf("event store: read stream %s from version %d: %w", w.stream, w.from, err)
		}
		w.page, w.isRead = page, len(page) < streamEvents
		if len(page) > 0 {
			w.from = page[len(page)-1].Version + 1
		}
	}
	if len(w.page) == 0 {
		return nil, nil //nolint:nilnil // the end is no error
	}
	return &w.page[0], nil
}

// advance takes the event that peek returned, and returns its entry, if the read
// model must have one and it can be said how it must be.
func (w *walk) advance() (entry Entry, isKnown bool) {
	e := w.page[0]
	w.page = w.page[1:]
	w.done++
	w.judgeOrder(e)
	w.last = e
	if w.broken != nil || w.isDiscarded(e) {
		return Entry{}, false
	}
	entry, err := w.fold.Apply(e)
	if err != nil {
		w.broken = err
		w.unapplicable(e, err)
		return Entry{}, false
	}
	w.row = Row{Version: e.Version, Position: e.Position}
	return entry, true
}

// unapplicable tells of an event that does not fit. A type that this program does
// not know says nothing against the event: a newer program may know it. One that
// it does know, and that makes no sense, is damage, whoever has noticed already.
func (w *walk) unapplicable(e event.Envelope, err error) {
	switch {
	case w.isParked && w.parked.EventID == e.ID && errors.Is(err, event.ErrUnknownType): // it is told as parked
	case errors.Is(err, event.ErrUnknownType):
		w.report.notef(NoteNotCompared, w.stream, "from version %d on: %s", e.Version, err)
	default:
		w.report.differ(of(InStore, Unapplicable, e, "event %s: %s", e.ID, err))
	}
}

var errHole = errors.New("the store lacks an event of the stream")

// judgeOrder compares an event with the one before it in its stream.
func (w *walk) judgeOrder(e event.Envelope) {
	if e.Version != w.last.Version+1 {
		w.broken = errHole
		for v := w.last.Version + 1; v < e.Version; v++ {
			w.report.differ(Difference{
				Place: InStore, Kind: Missing, Stream: w.stream, Version: v,
				Text: fmt.Sprintf("the event store has no event of this version, version %d is at position %d", e.Version, e.Position),
			})
		}
	}
	if e.Position <= w.last.Position {
		w.report.differ(of(InStore, Reordered, e, "event %s lies before version %d, which is at position %d", e.ID, w.last.Version, w.last.Position))
	}
	if e.Time.Before(w.last.Time) {
		w.report.differ(of(InStore, Altered, e, "event %s: its time %s is before that of version %d, %s", e.ID, e.Time, w.last.Version, w.last.Time))
	}
}

func (w *walk) isDiscarded(e event.Envelope) bool {
	return slices.ContainsFunc(w.discarded, func(d projection.Discarded) bool { return d.EventID == e.ID })
}

// entry compares an entry of the read model; last is the version of the row.
func (w *walk) entry(ctx context.Context, got Entry, last int64) error {
	if got.Version > last {
		w.inventedf(got.Version, "the read model has an entry beyond its row, which is at version %d", last)
		return nil
	}
	for {
		e, err := w.peek(ctx)
		if err != nil {
			return err
		}
		if e == nil || e.Version > got.Version {
			w.inventedf(got.Version, "the read model has an entry, the event store no such event")
			return nil
		}
		taken := *e
		want, isKnown := w.advance()
		if taken.Version < got.Version {
			w.lacksEntry(taken)
			continue
		}
		if w.isDiscarded(taken) {
			w.inventedf(got.Version, "the read model has an entry of an event that was discarded")
		} else if isKnown {
			if faults := columns(w.Model.EntryColumns(), got.Cells, want.Cells); len(faults) > 0 {
				w.report.differ(of(InReadModel, Altered, taken, "entry: %s", strings.Join(faults, "; ")))
			}
		}
		return nil
	}
}

func (w *walk) inventedf(version int64, format string, args ...any) {
	w.report.differ(Difference{
		Place: InReadModel, Kind: Invented, Stream: w.stream, Version: version, Text: fmt.Sprintf(format, args...),
	})
}

func (w *walk) lacksEntry(e event.Envelope) {
	if !w.isDiscarded(e) {
		w.report.differ(of(InReadModel, Missing, e, "the read model has no entry of event %s", e.ID))
	}
}

// finish compares the row, and looks at what lies behind it in the store.
func (w *walk) finish(ctx context.Context, row *Row, last int64, l *leaf) error {
	for {
		e, err := w.peek(ctx)
		if err != nil {
			return err
		}
		if e == nil || e.Version > last {
			break
		}
		w.lacksEntry(*e)
		w.advance()
	}
	if row == nil {
		w.report.differ(Difference{
			Place: InReadModel, Kind: Missing, Stream: w.stream, Version: last,
			Text: fmt.Sprintf("the read model has entries up to version %d, and no row", last),
		})
	} else {
		w.judgeRow(row)
		w.rowAhead(w.stream, row, l)
	}
	return w.behind(ctx)
}

func (w *walk) judgeRow(row *Row) {
	w.report.Rows++
	switch {
	case row.Version > w.last.Version:
		w.inventedf(row.Version, "the read model has a row at this version, the stream ends at version %d in the event store", w.last.Version)
		return
	case w.row.Version == event.NoVersion:
		w.inventedf(row.Version, "the read model has a row at this version, and applied no event")
		return
	case w.broken != nil:
		return
	}
	// Without a discarded event at its end, this is the row's own version.
	want := w.fold.Row()
	if faults := columns(w.Model.RowColumns(), row.Cells, want.Cells); len(faults) > 0 {
		w.report.differ(of(InReadModel, Altered, w.last, "row: %s", strings.Join(faults, "; ")))
	}
}

// behind looks at the events that the read model does not have. Those whose
// records lie before its checkpoint it must have, unless the stream is parked.
func (w *walk) behind(ctx context.Context) error {
	for {
		e, err := w.peek(ctx)
		if err != nil || e == nil {
			return err
		}
		taken := *e
		w.advance()
		if !w.isParked && !w.isDiscarded(taken) && w.cursorOf(w.stream).wasRead(taken.Position) {
			w.report.differ(of(InReadModel, Missing, taken, "event %s was read from the feed and is not in the read model", taken.ID))
		}
	}
}
