package archive

import (
	"context"
	"errors"
	"fmt"
	"io"

	"passbook/es/event"
	"passbook/es/eventstore"
)

// Target is a store that can be filled. The caller holds it alone.
type Target interface {
	eventstore.Engine
	eventstore.Filler
}

// ImportConfig has what a caller of Check or Import may want to know meanwhile.
type ImportConfig struct {
	// Checking and Writing, if there are any, are told from time to time how
	// many of the file's events are checked, and how many are in the store.
	Checking, Writing func(done, total int64)
	// BatchEvents is how many events a transaction has at most. Default 5000;
	// one whose payloads come to 8 MiB ends earlier.
	BatchEvents int
	// BeforeEnd, if there is one, is called when everything is in the store and
	// nobody can serve it yet: the moment to remove what belongs to the history
	// that the store had. Its error stops the import, which can be run again.
	BeforeEnd func() error
}

// Imported tells of an import that ended.
type Imported struct {
	Summary
	// Resumed is the position up to which an earlier run had come.
	Resumed int64
	// NewHistory is the store's history id from now on.
	NewHistory string
}

// Check reads a whole file and returns what it holds, or ErrFile with the line
// and what is wrong. It needs about 50 bytes of memory for each event and key,
// to see that none of them is there twice.
func Check(ctx context.Context, file io.Reader, config ImportConfig) (Summary, error) {
	r, err := newReader(file)
	if err != nil {
		return Summary{}, err
	}
	r.ids, r.keys = make(seen), make(seen)
	for {
		_, err := r.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return Summary{}, err
		}
		if r.summary.Events%progressStep == 0 {
			tell(config.Checking, r.summary.Events, r.summary.Head)
			if err := ctx.Err(); err != nil {
				return Summary{}, err
			}
		}
	}
	tell(config.Checking, r.summary.Events, r.summary.Head)
	return r.summary, nil
}

// Import fills an empty store from a file. The whole file is checked first, and
// nothing is written if anything is wrong with it. Then its events are written
// in large transactions; only when all are there the store gets a history, a new
// one, and can be served.
//
// Everything comes over as it is: ids, versions, positions, times, bytes, and
// the idempotency keys with their results. The only difference is that each
// event is marked as imported, for whoever is told of events was told of these
// long ago.
//
// An import that was interrupted leaves a store that has no history and so is
// not served. Import with the same file goes on where it stopped; another file
// is refused with ErrOtherImport, and a store with events with ErrNotEmpty.
func Import(ctx context.Context, target Target, file io.ReadSeeker, config ImportConfig) (Imported, error) {
	if err := refuseFilled(ctx, target); err != nil {
		return Imported{}, err
	}
	summary, err := Check(ctx, file, config)
	if err != nil {
		return Imported{}, err
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return Imported{}, fmt.Errorf("read the file again: %w", err)
	}
	done, err := target.BeginImport(ctx, summary.SHA256)
	if err != nil {
		return Imported{}, err
	}
	if config.BatchEvents <= 0 {
		config.BatchEvents = batchEvents
	}
	f := &filling{target: target, config: config, done: done, total: summary.Head}
	if err := f.run(ctx, file, summary.SHA256); err != nil {
		return Imported{}, err
	}
	if config.BeforeEnd != nil {
		if err := config.BeforeEnd(); err != nil {
			return Imported{}, err
		}
	}
	history, err := target.EndImport(ctx)
	if err != nil {
		return Imported{}, fmt.Errorf("end the import: %w", err)
	}
	return Imported{Summary: summary, Resumed: done, NewHistory: history}, nil
}

// refuseFilled spares the check of a large file that has no place to go.
func refuseFilled(ctx context.Context, target Target) error {
	_, err := target.History(ctx)
	if errors.Is(err, eventstore.ErrNoHistory) {
		return nil // BeginImport knows why
	}
	if err != nil {
		return fmt.Errorf("read history id: %w", err)
	}
	head, err := target.Head(ctx)
	if err == nil && head > 0 {
		err = fmt.Errorf("%w: it holds %d events", eventstore.ErrNotEmpty, head)
	}
	return err
}

const (
	batchEvents = 5000
	batchBytes  = 8 << 20
)

// filling is the second reading of the file.
type filling struct {
	target Target
	config ImportConfig
	total  int64
	done   int64 // what is in the store
	events []event.Envelope
	keys   []eventstore.KeyRecord
	bytes  int
}

// errChanged: somebody wrote to the file meanwhile, and parts of that may have
// come into the store.
var errChanged = errors.New("the file was changed while it was imported: delete the store's file and import again")

func (f *filling) run(ctx context.Context, file io.Reader, sha string) error {
	r, err := newReader(file)
	if err != nil {
		return fmt.Errorf("%w: %w", errChanged, err)
	}
	for {
		e, err := r.next()
		switch {
		case errors.Is(err, io.EOF) && r.summary.SHA256 == sha:
			return f.flush(ctx)
		case errors.Is(err, io.EOF):
			return errChanged
		case errors.Is(err, ErrFile):
			return fmt.Errorf("%w: %w", errChanged, err)
		case err != nil:
			return err
		case e.event.Position <= f.done:
			continue
		}
		f.add(e)
		if len(f.events) >= f.config.BatchEvents || f.bytes >= batchBytes {
			if err := f.flush(ctx); err != nil {
				return err
			}
		}
	}
}

func (f *filling) add(e *entry) {
	e.event.Metadata.Imported = true
	f.events = append(f.events, e.event)
	f.bytes += len(e.event.Data) + len(e.key.Result)
	if !e.key.Key.IsZero() {
		f.keys = append(f.keys, e.key)
	}
}

func (f *filling) flush(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if len(f.events) > 0 {
		if err := f.target.ImportEvents(ctx, f.events, f.keys); err != nil {
			return fmt.Errorf("write events from position %d: %w", f.events[0].Position, err)
		}
		f.done = f.events[len(f.events)-1].Position
	}
	f.events, f.keys, f.bytes = f.events[:0], f.keys[:0], 0
	tell(f.config.Writing, f.done, f.total)
	return nil
}

func tell(progress func(done, total int64), done, total int64) {
	if progress != nil {
		progress(done, total)
	}
}
