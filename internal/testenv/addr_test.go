package testenv

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// A port is one test's alone until that is over, and then free again.
func TestClaim(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	const port = 20000
	for range 2 {
		t.Run("its own", func(t *testing.T) {
			require.True(t, claim(t, port))
			require.False(t, claim(t, port))
			require.True(t, claim(t, port+1))
		})
	}
}
