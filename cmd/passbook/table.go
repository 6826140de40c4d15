package main

import (
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"
)

// tableRows is how many rows are kept back to find out how wide columns are. A
// longer table widens its columns as it goes on, and never has to be held whole.
const tableRows = 1000

// table prints rows in columns for people. Columns whose name starts with ">"
// are aligned to the right.
type table struct {
	out    io.Writer
	widths []int
	right  []bool
	rows   [][]string
	began  bool
}

func newTable(out io.Writer, columns ...string) *table {
	t := &table{out: out, widths: make([]int, len(columns)), right: make([]bool, len(columns))}
	header := make([]string, len(columns))
	for i, column := range columns {
		header[i], t.right[i] = strings.CutPrefix(column, ">")
	}
	t.keep(header)
	return t
}

// add takes a row. Text that could change what the terminal shows loses what
// does that.
func (t *table) add(cells ...string) error {
	t.keep(cells)
	if len(t.rows) < tableRows {
		return nil
	}
	return t.flush()
}

func (t *table) keep(cells []string) {
	row := make([]string, len(cells))
	for i, cell := range cells {
		row[i] = printable(cell)
		t.widths[i] = max(t.widths[i], utf8.RuneCountInString(row[i]))
	}
	t.rows = append(t.rows, row)
}

// empty tells whether no row was added.
func (t *table) empty() bool { return !t.began && len(t.rows) <= 1 }

// flush prints what was kept back.
func (t *table) flush() error {
	var text strings.Builder
	for _, row := range t.rows {
		var line strings.Builder
		for i, cell := range row {
			gap := strings.Repeat(" ", t.widths[i]-utf8.RuneCountInString(cell))
			if t.right[i] {
				cell, gap = gap+cell, ""
			}
			line.WriteString(cell + gap + "  ")
		}
		text.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	t.began, t.rows = true, t.rows[:0]
	_, err := io.WriteString(t.out, text.String())
	return err //nolint:wrapcheck // standard output is gone: there is nothing to add
}

// printFields prints one thing: its properties by name, those that are empty
// left out.
func printFields(w io.Writer, fields [][2]string) error {
	var text strings.Builder
	for _, field := range fields {
		if field[1] != "" {
			fmt.Fprintf(&text, "%-8s %s\n", field[0], printable(field[1]))
		}
	}
	_, err := io.WriteString(w, text.String())
	return err //nolint:wrapcheck // standard output is gone: there is nothing to add
}

// printable replaces what moves a terminal's cursor, colours it or turns the
// direction of text around: holders and references come from strangers.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			return unicode.ReplacementChar
		}
		return r
	}, text)
}
