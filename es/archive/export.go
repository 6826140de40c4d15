package archive

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"iter"
	"time"

	"passbook/es/event"
	"passbook/es/eventstore"
)

// Source is a store that can be exported. Its engine may be open for reading
// only, beside a process that writes.
type Source interface {
	eventstore.Engine
	eventstore.KeySource
}

// Summary tells what a file holds.
type Summary struct {
	Header
	// Events and Keys are how many of each there are.
	Events, Keys int64
	// SHA256 is the file's checksum, in hexadecimal.
	SHA256 string
}

// ExportConfig says what Export cannot know.
type ExportConfig struct {
	// Program is the version of the program, for the file's first line.
	Program string
	// Now is the time for the same line.
	Now time.Time
	// Progress, if there is one, is told from time to time how many of the
	// store's events are written.
	Progress func(done, total int64)
}

// Export writes the store as of one moment: the events and idempotency keys up
// to the head that it has when Export begins. It needs memory for some thousand
// events, however many there are, and never keeps the engine in one read for
// long.
//
// After an error what was written is no whole file, and every reader notices.
// Errors are those of the engine and of out; ErrMissing and ErrInconsistent if
// the store itself is damaged.
func Export(ctx context.Context, source Source, out io.Writer, config ExportConfig) (Summary, error) {
	store, err := eventstore.New(ctx, source, eventstore.Config{})
	if err != nil {
		return Summary{}, err
	}
	head, err := store.Head(ctx)
	if err != nil {
		return Summary{}, err
	}
	x := &export{
		sum:    sha256.New(),
		config: config,
		summary: Summary{Header: Header{
			Passbook: fileKind, Format: fileFormat, History: store.History(),
			Program: config.Program, Time: config.Now.UTC().Truncate(time.Second), Head: head,
		}},
	}
	x.out = bufio.NewWriterSize(out, outBuffer)
	if err := x.write(ctx, store, source); err != nil {
		return Summary{}, err
	}
	return x.summary, nil
}

const outBuffer = 256 << 10

// ErrInconsistent: an idempotency key of the store does not belong to the event
// that it names.
var ErrInconsistent = errors.New("event store contradicts itself")

type export struct {
	config  ExportConfig
	out     *bufio.Writer
	sum     hash.Hash
	line    []byte
	summary Summary
}

func (x *export) write(ctx context.Context, store *eventstore.Store, source Source) error {
	header, err := encode(x.summary.Header)
	if err != nil {
		return err
	}
	if err := x.put(header); err != nil {
		return err
	}
	next, stop := iter.Pull2(source.Keys(ctx, x.summary.Head))
	defer stop()
	keys := &keyFeed{next: next}
	if err := x.writeEvents(ctx, store, keys); err != nil {
		return err
	}
	if x.summary.Events != x.summary.Head {
		return fmt.Errorf("%w: the last is at position %d, and the head was %d",
			eventstore.ErrMissing, x.summary.Events, x.summary.Head)
	}
	if err := keys.ended(); err != nil {
		return err
	}
	x.summary.SHA256 = hex.EncodeToString(x.sum.Sum(nil))
	last, err := encode(endLine{end{Events: x.summary.Events, Keys: x.summary.Keys, SHA256: x.summary.SHA256}})
	if err != nil {
		return err
	}
	if err := x.put(last); err != nil {
		return err
	}
	return x.out.Flush()
}

func (x *export) writeEvents(ctx context.Context, store *eventstore.Store, keys *keyFeed) error {
	if x.summary.Head == 0 {
		return nil
	}
	for e, err := range store.ReadAll(ctx, 0) {
		if err != nil {
			return err
		}
		at := &entry{event: e}
		if at.key, err = keys.of(&e); err != nil {
			return err
		}
		if !at.key.Key.IsZero() {
			x.summary.Keys++
		}
		x.line = appendEntry(x.line[:0], at)
		if len(x.line) > lineMax {
			return fmt.Errorf("position %d: its line would have %d bytes, and %d is the most that a reader takes",
				e.Position, len(x.line), lineMax)
		}
		if err := x.put(x.line); err != nil {
			return err
		}
		x.summary.Events++
		if x.config.Progress != nil && (x.summary.Events%progressStep == 0 || e.Position == x.summary.Head) {
			x.config.Progress(x.summary.Events, x.summary.Head)
		}
		if e.Position == x.summary.Head {
			return nil
		}
	}
	return nil
}

const progressStep = 500

func (x *export) put(line []byte) error {
	for _, part := range [][]byte{line, {'\n'}} {
		_, _ = x.sum.Write(part) // a hash never fails
		if _, err := x.out.Write(part); err != nil {
			return err
		}
	}
	return nil
}

// keyFeed hands out keys beside the events, which have the same order.
type keyFeed struct {
	next    func() (eventstore.KeyRecord, error, bool)
	waiting *eventstore.KeyRecord
}

func (f *keyFeed) peek() (*eventstore.KeyRecord, error) {
	if f.waiting != nil {
		return f.waiting, nil
	}
	record, err, ok := f.next()
	switch {
	case !ok:
		return nil, nil //nolint:nilnil // there is no further key, and that is no error
	case err != nil:
		return nil, fmt.Errorf("read idempotency keys: %w", err)
	}
	f.waiting = &record
	return f.waiting, nil
}

// of returns the key of the command whose last event e is, zero without one.
func (f *keyFeed) of(e *event.Envelope) (eventstore.KeyRecord, error) {
	record, err := f.peek()
	switch {
	case err != nil || record == nil || record.Position > e.Position:
		return eventstore.KeyRecord{}, err
	case record.Position < e.Position || record.Stream != e.Stream || record.Version != e.Version:
		return eventstore.KeyRecord{}, inconsistent(record)
	}
	f.waiting = nil
	return *record, nil
}

func (f *keyFeed) ended() error {
	record, err := f.peek()
	if err == nil && record != nil {
		err = inconsistent(record)
	}
	return err
}

func inconsistent(r *eventstore.KeyRecord) error {
	return fmt.Errorf("%w: an idempotency key names position %d, stream %q, version %d, and that is not there",
		ErrInconsistent, r.Position, r.Stream, r.Version)
}
