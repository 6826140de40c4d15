package verify

import (
	"context"
	"iter"
	"math"

	"passbook/es/bus"
	"passbook/es/checkpoint"
	"passbook/es/event"
	"passbook/es/projection"
)

// Store is an event store as it is read here: with its holes, if it has any.
// Every eventstore.Engine is one.
type Store interface {
	// History returns the id of the store's history.
	History(ctx context.Context) (string, error)
	// Head returns the position of the last durable event, 0 in an empty store.
	Head(ctx context.Context) (int64, error)
	// ReadAll returns events behind position after, ascending by position: as
	// many as limit, fewer only where the store ends.
	ReadAll(ctx context.Context, after int64, limit int) ([]event.Envelope, error)
	// ReadStream returns events of a stream from version from, ascending: as many
	// as limit, fewer only where the stream ends.
	ReadStream(ctx context.Context, stream string, from int64, limit int) ([]event.Envelope, error)
}

// Relay is where the relay keeps its checkpoint. Every checkpoint.Store is one.
type Relay interface {
	// Load returns the progress that was saved under a name.
	Load(ctx context.Context, reader string) ([]checkpoint.Progress, error)
}

// Feed is a topic that is only read.
type Feed interface {
	// Find is that of bus.Topics: it never creates the topic.
	Find(ctx context.Context, name string) (bus.Topic, error)
	// Bounds is that of bus.Feed.
	Bounds(ctx context.Context, topic bus.Topic) ([]bus.Bounds, error)
	// Read is that of bus.Feed.
	Read(ctx context.Context, topic bus.Topic, partition int32, from, end int64) iter.Seq2[bus.Record, error]
}

// Model is a read model with a row for each stream and, below it, an entry for
// each applied event. An application implements it for its tables.
//
// Rows and entries come as texts, a cell for each column, exactly as they are
// stored: what nobody can read as a row any more is a difference too.
type Model interface {
	// View runs fn in a transaction that only reads, and that sees one state of
	// the database.
	View(ctx context.Context, fn func(v View) error) error
	// RowColumns names the cells of a Row, in their order.
	RowColumns() []string
	// EntryColumns names the cells of an Entry, in their order.
	EntryColumns() []string
	// Fold returns what says how row and entries of a stream must be.
	Fold(stream string) Fold
}

// View is a read model as of one moment.
type View interface {
	// Line returns the id of the set of tables that is in use, "" where there is
	// never another.
	Line(ctx context.Context) (string, error)
	// Checkpoints returns how far the model's consumer has come.
	Checkpoints(ctx context.Context) ([]checkpoint.Progress, error)
	// Heads returns the last applied event of those streams that have a row.
	Heads(ctx context.Context, streams []string) (map[string]projection.Head, error)
	// Page returns rows and entries behind a place.
	Page(ctx context.Context, after Cursor) (Page, error)

	// ParkedStream returns a stream, if it is parked.
	ParkedStream(ctx context.Context, stream string) (parked projection.Parked, isParked bool, err error)
	// Discarded returns what was discarded of a stream.
	Discarded(ctx context.Context, stream string) ([]projection.Discarded, error)
	// ParkedStreams is that of projection.Store.
	ParkedStreams(ctx context.Context, after string, limit int) ([]projection.Parked, error)
	// Discards is that of projection.Store.
	Discards(ctx context.Context, after projection.Discarded, limit int) ([]projection.Discarded, error)
}

// Cursor is a place in the order of streams (by bytes) and, within each, of the
// versions of its entries. EndVersion stands behind all of a stream.
type Cursor struct {
	Stream  string
	Version int64
}

// EndVersion is above every version.
const EndVersion = math.MaxInt64

// start is the Cursor before everything, whatever names and versions somebody
// has put there.
var start = Cursor{Version: math.MinInt64} //nolint:gochecknoglobals // a constant, had Go any of structs

// Page is a piece of a read model.
type Page struct {
	// Parts are in the order of their streams; an application returns as many as
	// it likes, of bounded size altogether.
	Parts []Part
	// Next is the place behind the page, nil at the end.
	Next *Cursor
}

// Part is what a page has of a stream.
type Part struct {
	Stream string
	// Row is nil where there are entries without a row.
	Row *Row
	// Entries are ascending by version, those behind the page's Cursor.
	Entries []Entry
	// More: the stream goes on in the next page, which has its row again.
	More bool
}

// Row is the state of a stream at a version, and Position that event's in the
// store.
type Row struct {
	Version, Position int64
	Cells             []string
}

// Entry is what was kept of one event.
type Entry struct {
	Version int64
	Cells   []string
}

// Fold says how a stream's row and entries must be. It is used by one goroutine.
type Fold interface {
	// Apply takes an event and returns its entry. Events come as projection.Model
	// gets them: in order, and without a hole but for what was discarded. An
	// error says that the event, as it is stored, cannot be applied.
	Apply(e event.Envelope) (Entry, error)
	// Row returns the row behind the last event that was applied.
	Row() Row
}
