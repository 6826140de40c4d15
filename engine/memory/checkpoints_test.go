package memory_test

import (
	"context"
	"testing"

	"passbook/engine/memory"
	"passbook/es/checkpoint"
	"passbook/es/checkpoint/checkpointtest"
)

func TestCheckpoints(t *testing.T) {
	checkpointtest.Run(t, checkpointtest.Technology{
		Create: func(checkpointtest.TB) checkpointtest.Open {
			return func(context.Context) (checkpoint.Store, func() error, error) {
				return memory.NewCheckpoints(), func() error { return nil }, nil
			}
		},
	})
}
