package relay_test

import (
	"context"
	"fmt"

	"passbook/engine/memory"
	"passbook/es/bus"
	"passbook/es/eventstore"
	"passbook/es/relay"
)

// printer is a consumer that keeps no place: it reads from the start.
type printer struct{ done func() }

func (printer) Assign(context.Context, bus.Assignment) (int64, error) { return 0, nil }

func (p printer) Consume(_ context.Context, run bus.Run) (int64, error) {
	next := int64(0)
	for _, record := range run.Records {
		_, e, err := bus.Decode(record.Message)
		if err != nil {
			return 0, err
		}
		fmt.Println(e.Position, e.Stream, e.Type)
		next = record.Offset + 1
	}
	if next == 2 {
		p.done()
	}
	return next, nil
}

func (printer) Revoke(int32) {}

// An application without a broker reads its own store as a bus.
func ExampleDirect() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	engine := memory.NewEventStore()
	for n, stream := range []string{"cup", "plate"} {
		if _, err := engine.Append(ctx, int64(n)+1, []eventstore.Commit{happened(stream, 0)}); err != nil {
			fmt.Println(err)
		}
	}
	store, err := eventstore.New(ctx, engine, eventstore.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := relay.NewDirect(store, relay.Config{}).Run(ctx, "printers", printer{done: cancel}); err != nil {
		fmt.Println(err)
	}
	// Output:
	// 1 cup test.happened.v1
	// 2 plate test.happened.v1
}
