package verify

import (
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// A set of positions says what a plain set says, however it is cut up.
func TestPositions(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var set positions
		plain := make(map[int64]bool)
		last := int64(0)
		for range rapid.IntRange(0, 30).Draw(t, "added") {
			position := last + rapid.Int64Range(1, 3).Draw(t, "gap")
			// Side by side only: what lies between belongs to other partitions.
			set.add(position, len(set.ranges) > 0 && position == last+1)
			plain[position], last = true, position
		}
		for range rapid.IntRange(0, 40).Draw(t, "changed") {
			position := rapid.Int64Range(0, last+2).Draw(t, "position")
			if rapid.Bool().Draw(t, "remove") {
				require.Equal(t, plain[position], set.remove(position), "remove %d", position)
				delete(plain, position)
			} else {
				set.insert(position)
				plain[position] = true
			}
		}
		for position := range last + 4 {
			require.Equal(t, plain[position], set.has(position), "%d of %v in %v", position, slices.Sorted(maps.Keys(plain)), set.ranges)
		}
		require.True(t, slices.IsSortedFunc(set.ranges, func(a, b span) int { return int(a.to - b.from) }), "%v", set.ranges)
	})
}
