package estest_test

import (
	"errors"
	"fmt"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"passbook/es/aggregate"
	"passbook/es/estest"
	"passbook/es/event"
)

type (
	arrived struct{ Plate string }
	left    struct{ Plate string }
	// spoiled does not come back from the store as it went in.
	spoiled struct{ hidden string }
	garage  struct{ Inside string }
)

var errFull = errors.New("the garage is full")

func evolve(g garage, payload any) garage {
	switch p := payload.(type) {
	case arrived:
		g.Inside = p.Plate
	case left:
		g.Inside = ""
	case spoiled:
		g.Inside = p.hidden
	}
	return g
}

func arrive(plate string) func(garage) ([]any, error) {
	return func(g garage) ([]any, error) {
		if g.Inside != "" {
			return nil, fmt.Errorf("%w: of %s", errFull, g.Inside)
		}
		return []any{arrived{plate}}, nil
	}
}

func definition(t testing.TB) aggregate.Definition[garage] {
	codec, err := event.NewCodec(event.Define[arrived]("arrived", 1), event.Define[left]("left", 1), event.Define[spoiled]("spoiled", 1))
	require.NoError(t, err)
	return aggregate.Definition[garage]{Category: "garage", Codec: codec, Evolve: evolve}
}

func TestGivenWhenThen(t *testing.T) {
	t.Parallel()
	d := definition(t)
	after := estest.Given(t, d, arrived{"A"}, left{"A"}).When(arrive("B")).Then(arrived{"B"})
	require.Equal(t, garage{Inside: "B"}, after.State())
	after.When(arrive("C")).ThenRefused(errFull)
	after.When(func(garage) ([]any, error) { return nil, nil }).Then()
}

// recorder is a testing.TB that fails instead of the test.
type recorder struct {
	testing.TB
	failure string
}

func (r *recorder) Helper() {}

func (r *recorder) Fatalf(format string, args ...any) {
	r.failure = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

func failure(t *testing.T, body func(t testing.TB)) string {
	t.Helper()
	r := &recorder{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		body(r)
	}()
	<-done
	return r.failure
}

func TestFailures(t *testing.T) {
	t.Parallel()
	d := definition(t)
	calls := 0
	for want, body := range map[string]func(t testing.TB){
		"want:   [":       func(t testing.TB) { estest.Given(t, d).When(arrive("B")).Then(arrived{"C"}) },
		"want events: [":  func(t testing.TB) { estest.Given(t, d, arrived{"A"}).When(arrive("B")).Then(arrived{"B"}) },
		"error: <nil>":    func(t testing.TB) { estest.Given(t, d).When(arrive("B")).ThenRefused(errFull) },
		"stored and read": func(t testing.TB) { estest.Given(t, d, spoiled{"x"}) },
		"encode":          func(t testing.TB) { estest.Given(t, d, 7) },
		"not pure": func(t testing.TB) {
			estest.Given(t, d).When(func(garage) ([]any, error) { calls++; return []any{calls}, nil })
		},
		"with events: [":    func(t testing.TB) { estest.Given(t, d).When(func(garage) ([]any, error) { return []any{7}, errFull }) },
		"encode 7: unknown": func(t testing.TB) { estest.Envelopes(t, d.Codec, "s", 1, 7) },
	} {
		require.Contains(t, failure(t, body), want)
	}
	require.Empty(t, failure(t, func(t testing.TB) { estest.Given(t, d).When(arrive("B")).Then(arrived{"B"}) }))
}

func TestEnvelopes(t *testing.T) {
	t.Parallel()
	d := definition(t)
	envelopes := estest.Envelopes(t, d.Codec, "g1", 10, arrived{"A"}, left{"A"})
	require.Len(t, envelopes, 2)
	require.Equal(t, int64(1), envelopes[1].Version)
	require.Equal(t, int64(11), envelopes[1].Position)
	payload, err := d.Codec.Decode(envelopes[1].Type, envelopes[1].Data)
	require.NoError(t, err)
	require.Equal(t, left{"A"}, payload)
}
