package event_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"passbook/es/event"
)

func TestParseType(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := event.Type{
			Name:   rapid.StringMatching(`[a-z]+(\.[a-z]+){0,3}(\.v[0-9]+)?`).Draw(t, "name"),
			Schema: rapid.IntRange(1, 1e6).Draw(t, "schema"),
		}
		got, err := event.ParseType(want.String())
		require.NoError(t, err)
		require.Equal(t, want, got)
	})
	for _, bad := range []string{"", ".v1", "a", "a.v", "a.v0", "a.v-1", "a.v+1", "a.v01", "a.v1x", "a.v99999999999999999999"} {
		_, err := event.ParseType(bad)
		require.Error(t, err, bad)
	}
}

func TestNewID(t *testing.T) {
	t.Parallel()
	seen := make(map[string]bool)
	before := time.Now().UnixMilli()
	for range 10_000 {
		id := event.NewID()
		require.Regexp(t, `^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`, id)
		require.False(t, seen[id])
		seen[id] = true
		var ms int64
		_, err := fmt.Sscanf(id[:8]+id[9:13], "%x", &ms)
		require.NoError(t, err)
		require.GreaterOrEqual(t, ms, before)
		require.LessOrEqual(t, ms, time.Now().UnixMilli())
	}
}

func TestTruncate(t *testing.T) {
	t.Parallel()
	there := time.Date(2026, 11, 22, 13, 5, 6, 123456789, time.FixedZone("there", 3600))
	require.Equal(t, time.Date(2026, 11, 22, 12, 5, 6, 123456000, time.UTC), event.Truncate(there))
}

func ExampleNewCodec() {
	type Parked struct {
		Plate string `json:"plate"`
	}
	codec, err := event.NewCodec(event.Define[Parked]("garage.parked", 1))
	if err != nil {
		panic(err)
	}
	written, data, _ := codec.Encode(Parked{Plate: "B-XY 12"})
	fmt.Println(written, string(data))
	payload, _ := codec.Decode(written, data)
	fmt.Printf("%+v\n", payload)
	// Output:
	// garage.parked.v1 {"plate":"B-XY 12"}
	// {Plate:B-XY 12}
}
