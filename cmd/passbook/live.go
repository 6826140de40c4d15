package main

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/mattn/go-isatty"
)

// How often a live line is written: on a terminal it is drawn over, so it may
// move; elsewhere each time adds a line to somebody's log.
const (
	liveRedraw = 100 * time.Millisecond
	liveLines  = 2 * time.Second
)

// liveLine is one line that tells how something goes while it goes. On a
// terminal it is drawn over in place, elsewhere it is written again at most
// every 2 s; its last text is always written. Safe for concurrent use.
type liveLine struct {
	mu       sync.Mutex
	out      io.Writer
	terminal bool
	written  time.Time // when it was last written; zero before
	pending  string    // what is newer than what was written
	drawn    bool      // the cursor stands in a line that is not ended
}

// newLiveLine starts without writing anything.
func newLiveLine(out io.Writer) *liveLine {
	return &liveLine{out: out, terminal: isTerminal(out)}
}

// isTerminal tells whether out is a screen on which a line can be drawn over.
func isTerminal(out io.Writer) bool {
	file, ok := out.(*os.File)
	return ok && isatty.IsTerminal(file.Fd()) && os.Getenv("TERM") != "dumb"
}

// show gives the line its newest text.
func (l *liveLine) show(text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pending = text
	pause := liveLines
	if l.terminal {
		pause = liveRedraw
	}
	if now := time.Now(); l.written.IsZero() || now.Sub(l.written) >= pause {
		l.written = now
		l.flush()
	}
}

// close writes the last text if it is not there yet, and ends the line. show
// may be called again afterwards: that begins a new one.
func (l *liveLine) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.flush()
	if l.drawn {
		l.write("\n")
		l.drawn = false
	}
}

func (l *liveLine) flush() {
	switch {
	case l.pending == "":
		return
	case l.terminal:
		// Without wrapping, so that a text wider than the screen stays one line.
		l.write("\r\x1b[2K\x1b[?7l" + l.pending + "\x1b[?7h")
		l.drawn = true
	default:
		l.write(l.pending + "\n")
	}
	l.pending = ""
}

// write drops errors: whoever closed standard error does not want to be told.
func (l *liveLine) write(text string) { _, _ = fmt.Fprint(l.out, text) }
