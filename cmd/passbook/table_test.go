package main

import (
	"bytes"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTable(t *testing.T) {
	var out bytes.Buffer
	rows := newTable(&out, "ID", ">BALANCE", "HOLDER")
	require.True(t, rows.empty())
	require.NoError(t, rows.add("a1", "5.00 EUR", "Zoé"))
	require.NoError(t, rows.add("a22", "1250.00 EUR", "Ann\x1b[2J\n\u202eevil"))
	require.False(t, rows.empty())
	require.NoError(t, rows.flush())
	require.Equal(t, ""+
		"ID       BALANCE  HOLDER\n"+
		"a1      5.00 EUR  Zoé\n"+
		"a22  1250.00 EUR  Ann\ufffd[2J\ufffd\ufffdevil\n", out.String())
}

// A table of any length is printed as it comes.
func TestTable_Long(t *testing.T) {
	var out bytes.Buffer
	rows := newTable(&out, "N")
	for i := range 5 * tableRows {
		require.NoError(t, rows.add(strconv.Itoa(i)))
		require.Less(t, len(rows.rows), tableRows)
	}
	require.NoError(t, rows.flush())
	require.Equal(t, 5*tableRows+1, strings.Count(out.String(), "\n"))
}
