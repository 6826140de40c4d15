package relay_test

import (
	"context"
	"testing"

	"passbook/es/bus"
)

// runner publishes what there is, and returns the first error.
type runner func(ctx context.Context) error

// refuseOne has the broker refuse the record of the given number, once, and
// runs until it is all there.
func refuseOne(t *testing.T, w *world, refused int, run runner) error {
	t.Helper()
	seen := 0
	w.broker.onPublish = func(records []bus.Placed) outcome {
		defer func() { seen += len(records) }()
		if refused < seen || refused >= seen+len(records) {
			return outcome{}
		}
		hit := records[refused-seen].Partition
		before := 0
		for _, r := range records[:refused-seen] {
			if r.Partition == hit {
				before++
			}
		}
		return outcome{err: errRefused, arrive: func(p int32) int {
			if p == hit {
				return before
			}
			return len(records)
		}}
	}
	var err error
	for range 3 {
		if err = run(t.Context()); err == nil {
			return nil
		}
	}
	return err
}
