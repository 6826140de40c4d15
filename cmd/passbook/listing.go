package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"iter"
)

// listing prints a long answer while it is being read, as a table or as one JSON
// object with one list in it, so that its length does not matter.
type listing[T any] struct {
	out   io.Writer
	json  bool
	name  string // of the list in the JSON
	none  string // what there is nothing of, if there is nothing
	cells func(T) []string
	table *table
	rows  int
}

func newListing[T any](out io.Writer, asJSON bool, name string, cells func(T) []string, columns ...string) *listing[T] {
	return &listing[T]{out: out, json: asJSON, name: name, none: name, cells: cells, table: newTable(out, columns...)}
}

// all prints what is walked through. After an error the JSON is left without its
// end, so that half a list is not taken for a whole one.
func (l *listing[T]) all(out output, items iter.Seq2[T, error]) error {
	for item, err := range items {
		if err != nil {
			return err
		}
		if err := l.add(item); err != nil {
			return err
		}
	}
	return l.end(out)
}

func (l *listing[T]) add(item T) error {
	l.rows++
	if !l.json {
		return l.table.add(l.cells(item)...)
	}
	before := ","
	if l.rows == 1 {
		before = l.head()
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(item); err != nil {
		return fmt.Errorf("write %s as JSON: %w", l.name, err)
	}
	_, err := fmt.Fprintf(l.out, "%s%s", before, bytes.TrimSuffix(text.Bytes(), []byte("\n")))
	return err //nolint:wrapcheck // standard output is gone: there is nothing to add
}

func (l *listing[T]) head() string { return `{"` + l.name + `":[` }

func (l *listing[T]) end(out output) (err error) {
	switch {
	case !l.json && l.table.empty():
		_, _ = fmt.Fprintf(out.stderr, "There are no %s.\n", l.none) // beside the answer, which is empty
	case !l.json:
		err = l.table.flush()
	case l.rows == 0:
		_, err = fmt.Fprintln(l.out, l.head()+"]}")
	default:
		_, err = fmt.Fprintln(l.out, "]}")
	}
	return err //nolint:wrapcheck // standard output is gone: there is nothing to add
}
