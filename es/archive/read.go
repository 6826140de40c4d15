package archive

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"

	"passbook/es/event"
	"passbook/es/eventstore"
)

// ErrFile: the file is not a whole and sound export. The error names the line
// and what is wrong with it.
var ErrFile = errors.New("the file cannot be imported")

// lineMax is the longest line that is written and read.
const lineMax = 16 << 20

// reader reads a file line by line and refuses what an export could not have
// written.
type reader struct {
	in      *bufio.Reader
	sum     hash.Hash // of the lines before the current one
	number  int64     // of the current line
	line    []byte
	summary Summary
	// streams has the version of each stream's last event.
	streams map[string]int64
	// ids and keys are what may be there once only; nil where that was looked
	// at before.
	ids, keys seen
}

// newReader reads the first line.
func newReader(in io.Reader) (*reader, error) {
	r := &reader{in: bufio.NewReaderSize(in, 32<<10), sum: sha256.New(), streams: make(map[string]int64)}
	if err := r.readLine(); err != nil {
		if errors.Is(err, io.EOF) {
			err = r.fault(errors.New("the file is empty"))
		}
		return nil, err
	}
	header, err := parseHeader(r.line)
	if err != nil {
		return nil, r.fault(err)
	}
	r.summary.Header = header
	return r, nil
}

func (r *reader) fault(err error) error {
	return fmt.Errorf("%w: line %d: %w", ErrFile, r.number, err)
}

// readLine reads the next line, without its newline. It returns io.EOF where
// there is none.
func (r *reader) readLine() error {
	if r.number > 0 {
		_, _ = r.sum.Write(r.line) // a hash never fails
		_, _ = r.sum.Write([]byte{'\n'})
	}
	r.line = r.line[:0]
	r.number++
	for {
		part, err := r.in.ReadSlice('\n')
		r.line = append(r.line, part...)
		switch {
		case len(r.line) > lineMax:
			return r.fault(fmt.Errorf("it is longer than %d bytes", lineMax))
		case err == nil:
			r.line = r.line[:len(r.line)-1]
			return nil
		case errors.Is(err, io.EOF) && len(r.line) == 0:
			return io.EOF
		case errors.Is(err, io.EOF):
			return r.fault(errors.New("the file ends in the middle of it: it was cut off"))
		case !errors.Is(err, bufio.ErrBufferFull):
			return fmt.Errorf("line %d: %w", r.number, err)
		}
	}
}

// next returns the next event, and io.EOF once the last line has told that the
// file is whole.
func (r *reader) next() (*entry, error) {
	if err := r.readLine(); err != nil {
		if errors.Is(err, io.EOF) {
			err = r.fault(errors.New("it is missing: the file was cut off before its last line"))
		}
		return nil, err
	}
	if bytes.HasPrefix(r.line, []byte(endPrefix)) {
		return nil, r.finish()
	}
	e, err := parseEntry(r.line)
	if err == nil {
		err = r.check(e)
	}
	if err != nil {
		return nil, r.fault(err)
	}
	return e, nil
}

// check looks at an event by itself and as the next of the history.
func (r *reader) check(e *entry) error {
	v := &e.event
	last, known := r.streams[v.Stream]
	if !known {
		last = event.NoVersion
	}
	switch {
	case v.Position != r.summary.Events+1:
		return fmt.Errorf("position %d where %d is next", v.Position, r.summary.Events+1)
	case v.Version != last+1:
		return fmt.Errorf("stream %.64q: version %d where %d is next", v.Stream, v.Version, last+1)
	}
	alone := eventstore.Commit{
		Stream: v.Stream, Expected: last, Events: []event.Envelope{*v},
		Key: e.key.Key, RequestHash: e.key.RequestHash, Result: e.key.Result,
	}
	if err := alone.Validate(); err != nil {
		return err
	}
	if r.ids != nil && !r.ids.add(v.ID) {
		return fmt.Errorf("event id %.64q was there before", v.ID)
	}
	if !e.key.Key.IsZero() {
		if r.keys != nil && !r.keys.addKey(e.key.Key) {
			return fmt.Errorf("the idempotency key of stream %.64q was there before", v.Stream)
		}
		r.summary.Keys++
	}
	r.streams[v.Stream] = v.Version
	r.summary.Events++
	return nil
}

// finish compares the last line with what came before it. It returns io.EOF if
// they agree and nothing follows.
func (r *reader) finish() error {
	var last endLine
	if err := decode(r.line, &last); err != nil {
		return r.fault(err)
	}
	r.summary.SHA256 = hex.EncodeToString(r.sum.Sum(nil))
	counted := end{Events: r.summary.Events, Keys: r.summary.Keys, SHA256: r.summary.SHA256}
	switch {
	case last.End.SHA256 != counted.SHA256:
		return r.fault(errors.New("the checksum is that of other lines: the file was altered"))
	case last.End != counted || counted.Events != r.summary.Head:
		return r.fault(fmt.Errorf("the file has %d events and %d keys, and should have %d and %d, up to position %d",
			counted.Events, counted.Keys, last.End.Events, last.End.Keys, r.summary.Head))
	}
	err := r.readLine()
	if err == nil {
		return r.fault(errors.New("something follows the last line"))
	}
	return err
}
