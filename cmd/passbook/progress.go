package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
)

const progressWidth = 30

// progress shows how far long work has come: a bar on a terminal, lines at most
// every 2 s elsewhere. It belongs on standard error, so that standard output
// holds the result alone. Safe for concurrent use.
type progress struct {
	line  *liveLine
	label string
}

// newProgress starts without writing anything: work that is done at once shows
// its last state alone.
func newProgress(out io.Writer, label string) *progress {
	return &progress{line: newLiveLine(out), label: label}
}

// set tells how much is done. A total of 0 or less is one that is not known: the
// count alone is shown. More than the total is shown as it is, and as 100 %.
func (p *progress) set(done, total int64) {
	p.line.show(p.describe(done, total))
}

// close shows the last state and ends the line. It does not say whether the work
// succeeded: that is for the command to say.
func (p *progress) close() { p.line.close() }

func (p *progress) describe(done, total int64) string {
	if total <= 0 {
		return fmt.Sprintf("%s: %s", p.label, grouped(done))
	}
	share := float64(max(done, 0)) / float64(total)
	share = min(share, 1)
	counts := fmt.Sprintf("%3d %%  %s of %s", int(share*100), grouped(done), grouped(total))
	if !p.line.terminal {
		return fmt.Sprintf("%s: %s", p.label, strings.TrimSpace(counts))
	}
	full := int(share * progressWidth)
	return fmt.Sprintf("%s [%s%s] %s", p.label, strings.Repeat("#", full), strings.Repeat(".", progressWidth-full), counts)
}

// grouped writes a number with its thousands apart: 1,234,567.
func grouped(n int64) string {
	digits, sign := strconv.FormatInt(n, 10), ""
	if n < 0 {
		digits, sign = digits[1:], "-"
	}
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return sign + digits
}
