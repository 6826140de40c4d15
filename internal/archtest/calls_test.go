package archtest_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"passbook/internal/archtest"
)

const sleeping = `package p

import clock "time"

func wait() { clock.Sleep(1) }
`

func TestCheckSleep(t *testing.T) {
	tree := plant(t, map[string]string{
		"es/relay/x_test.go":  sleeping,
		"es/relay/x.go":       sleeping,
		"es/bus/bustest/x.go": sleeping,
		"engine/kafka/x.go":   "package p\n\nfunc f(time interface{ Sleep() }) { time.Sleep() }\n",
		"engine/kafka/_x.go":  sleeping,
		"engine/kafka/x_test.go": "package p\n\nimport \"time\"\n\n" +
			"var wait = time.Sleep\n",
		"cmd/passbook/x_test.go": sleeping,
	})
	kafka := "engine/kafka/x_test.go:5: sleeps in a test: wait for what is to happen"
	suite := "es/bus/bustest/x.go:5: sleeps in a test: wait for what is to happen"
	relay := "es/relay/x_test.go:5: sleeps in a test: wait for what is to happen"
	tops := []string{"es", "engine"}

	found := archtest.CheckSleep(tree, archtest.Rooms(), nil, tops...)
	require.ElementsMatch(t, []string{kafka, suite, relay}, texts(found))

	found = archtest.CheckSleep(tree, archtest.Rooms(), map[string]string{
		"es/relay/x_test.go": "a reason",
		"es/relay/y_test.go": "was removed",
	}, tops...)
	require.ElementsMatch(t, []string{
		kafka, suite,
		"es/relay/y_test.go: is allowed to sleep and does not: remove the allowance",
	}, texts(found))
}

func TestCheckInit(t *testing.T) {
	tree := plant(t, map[string]string{
		"es/p/x.go": "package p\n\nfunc init() {}\n\ntype T int\n\nfunc (T) init() {}\n",
	})
	require.Equal(t, []string{"es/p/x.go:3: has an init function: pass a value to a constructor"},
		texts(archtest.CheckInit(tree)))
}

func TestCheckPanic(t *testing.T) {
	const text = `package p

func f() { panic("out of the blue") }

// g panics when its argument is nil: a slip of the programmer, seen at start-up.
func g() { panic("nil") }

func MustParse() { panic("as its name says") }

var h = func() { panic("in a value") }

func i() {
	// A fixed struct always encodes.
	panic("above")
}

func j() {
	panic("beside") // cannot be reached
}

// k has a comment that is about something else.
func k() {
	_ = 1

	panic("too far")
}
`
	tree := plant(t, map[string]string{"es/p/x.go": text, "es/p/x_test.go": text})
	require.Equal(t, []string{
		"es/p/x.go:3: panics without a reason: return an error, or say why it cannot",
		"es/p/x.go:10: panics without a reason: return an error, or say why it cannot",
		"es/p/x.go:25: panics without a reason: return an error, or say why it cannot",
	}, texts(archtest.CheckPanic(tree)))
}
