package main

import (
	"bytes"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// Where nobody draws over a line, a log must not be flooded, and the last state
// must be in it.
func TestProgress_Lines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		p := newProgress(&out, "restore")
		for done := range int64(5000) {
			p.set(done, 5000)
			<-time.After(time.Millisecond)
		}
		p.set(5000, 5000)
		p.close()
		require.Equal(t, "restore: 0 %  0 of 5,000\n"+
			"restore: 40 %  2,000 of 5,000\n"+
			"restore: 80 %  4,000 of 5,000\n"+
			"restore: 100 %  5,000 of 5,000\n", out.String())
	})
}

func TestProgress_Bar(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		p := newProgress(&out, "import")
		p.line.terminal = true
		p.set(0, 4)
		p.set(1, 4) // too soon to be drawn
		<-time.After(liveRedraw)
		p.set(2, 4)
		p.set(5, 4)
		p.close()
		draws := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\r")
		require.Equal(t, []string{
			"",
			"\x1b[2K\x1b[?7limport [..............................]   0 %  0 of 4\x1b[?7h",
			"\x1b[2K\x1b[?7limport [###############...............]  50 %  2 of 4\x1b[?7h",
			"\x1b[2K\x1b[?7limport [##############################] 100 %  5 of 4\x1b[?7h",
		}, draws)
		require.True(t, strings.HasSuffix(out.String(), "\n"), "the line is ended")
	})
}

func TestProgress_NothingToShow(t *testing.T) {
	var out bytes.Buffer
	newProgress(&out, "verify").close()
	require.Empty(t, out.String())
}

func TestProgress_UnknownTotal(t *testing.T) {
	var out bytes.Buffer
	p := newProgress(&out, "export")
	p.set(1234567, 0)
	p.set(1234567, 0)
	p.close()
	require.Equal(t, "export: 1,234,567\nexport: 1,234,567\n", out.String())
}
