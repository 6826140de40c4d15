package archive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"

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
	Filled
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
	if err := Vacant(ctx, target); err != nil {
		return Imported{}, err
	}
	summary, err := Check(ctx, file, config)
	if err != nil {
		return Imported{}, err
	}
	filled, err := Fill(ctx, target, Origin{Name: summary.SHA256, Head: summary.Head, Entries: again(file, summary.SHA256)}, config)
	if err != nil {
		return Imported{}, err
	}
	return Imported{Summary: summary, Filled: filled}, nil
}

// errChanged: somebody wrote to the file meanwhile, and parts of that may have
// come into the store.
var errChanged = errors.New("the file was changed while it was imported: delete the store's file and import again")

// again yields the entries of a file that was checked before.
func again(file io.ReadSeeker, sha string) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		if _, err := file.Seek(0, io.SeekStart); err != nil {
			yield(Entry{}, fmt.Errorf("read the file again: %w", err))
			return
		}
		r, err := newReader(file)
		if err != nil {
			yield(Entry{}, fmt.Errorf("%w: %w", errChanged, err))
			return
		}
		for {
			e, err := r.next()
			switch {
			case errors.Is(err, io.EOF) && r.summary.SHA256 == sha:
				return
			case errors.Is(err, io.EOF):
				err = errChanged
			case errors.Is(err, ErrFile):
				err = fmt.Errorf("%w: %w", errChanged, err)
			case err == nil:
				if !yield(Entry{Event: e.event, Key: e.key}, nil) {
					return
				}
				continue
			}
			yield(Entry{}, err)
			return
		}
	}
}

func tell(progress func(done, total int64), done, total int64) {
	if progress != nil {
		progress(done, total)
	}
}
