package projectiontest_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"passbook/engine/memory"
	"passbook/es/bus"
	"passbook/es/event"
	"passbook/es/projection"
	"passbook/es/projection/projectiontest"
)

type model = projection.Model[memTx]

// TestScenarios_Find breaks the model, and with it the gate, in one way after
// the other.
func TestScenarios_Find(t *testing.T) {
	t.Parallel()
	planted := []struct {
		fault    string
		plant    func(good model) model
		scenario func(projectiontest.T, projectiontest.Database[memTx])
	}{
		{
			"an equal or lower version is a duplicate, whatever its id",
			func(good model) model { return &versionsOnly{Model: good} },
			projectiontest.DifferenceIsNotADuplicate[memTx],
		},
		{
			"what cannot be applied is passed over",
			func(good model) model { return skips{good} },
			projectiontest.UnapplicableParksOneStream[memTx],
		},
		{
			"versions are not looked at",
			func(good model) model { return anyVersion{good} },
			projectiontest.GapParksAndHeals[memTx],
		},
		{
			"ids below the head are not known",
			func(good model) model { return noIDs{good} },
			projectiontest.RedeliveryFromTheBeginning[memTx],
		},
	}
	for _, p := range planted {
		t.Run(p.fault, func(t *testing.T) {
			t.Parallel()
			db := func(plant func(good model) model) projectiontest.Database[memTx] {
				good := memory.NewProjectionStore()
				return projectiontest.Database[memTx]{
					Open:  func(projectiontest.T) store { return good },
					Rows:  projectiontest.KeyValueRows[memTx]{},
					Model: plant,
				}
			}
			p.scenario(t, db(nil))
			_, failed := failsWith(t, func(t projectiontest.T) { p.scenario(t, db(p.plant)) })
			require.True(t, failed, "the scenario does not find it")
		})
	}
}

// versionsOnly makes a gate that compares versions alone: whatever event comes,
// its id is the one that was applied there.
type versionsOnly struct {
	projection.Model[memTx]
	coming map[projection.Ref]string
}

func (m *versionsOnly) Watch(run bus.Run) {
	m.coming = make(map[projection.Ref]string)
	for _, r := range run.Records {
		if _, e, err := bus.Decode(r.Message); err == nil {
			m.coming[projection.Ref{Stream: e.Stream, Version: e.Version}] = e.ID
		}
	}
}

func (m *versionsOnly) Heads(ctx context.Context, tx memTx, streams []string) (map[string]projection.Head, error) {
	heads, err := m.Model.Heads(ctx, tx, streams)
	for stream, head := range heads {
		if id, ok := m.coming[projection.Ref{Stream: stream, Version: head.Version}]; ok {
			heads[stream] = projection.Head{Version: head.Version, EventID: id}
		}
	}
	return heads, err
}

func (m *versionsOnly) EventIDs(
	ctx context.Context, tx memTx, refs []projection.Ref,
) (map[projection.Ref]string, error) {
	ids, err := m.Model.EventIDs(ctx, tx, refs)
	for _, ref := range refs {
		if id, ok := m.coming[ref]; ok {
			ids[ref] = id
		}
	}
	return ids, err
}

// skips goes on behind an event that cannot be applied.
type skips struct{ projection.Model[memTx] }

func (m skips) Apply(ctx context.Context, tx memTx, events []event.Envelope) error {
	for _, e := range events {
		err := m.Model.Apply(ctx, tx, []event.Envelope{e})
		var unapplicable *projection.Unapplicable
		if errors.As(err, &unapplicable) || errors.Is(err, event.ErrUnknownType) || errors.Is(err, event.ErrMalformed) {
			e.ID, e.Data = "skipped", []byte("0")
			err = m.Model.Apply(ctx, tx, []event.Envelope{e})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// anyVersion says of each stream that it is right before what is coming.
type anyVersion struct{ projection.Model[memTx] }

func (m anyVersion) Apply(ctx context.Context, tx memTx, events []event.Envelope) error {
	for _, e := range events {
		heads, err := m.Model.Heads(ctx, tx, []string{e.Stream})
		if err != nil {
			return err
		}
		e.Version = 0
		if head, ok := heads[e.Stream]; ok {
			e.Version = head.Version + 1
		}
		if err := m.Model.Apply(ctx, tx, []event.Envelope{e}); err != nil {
			return err
		}
	}
	return nil
}

func (m anyVersion) Heads(context.Context, memTx, []string) (map[string]projection.Head, error) {
	return nil, nil
}

type noIDs struct{ projection.Model[memTx] }

func (m noIDs) EventIDs(context.Context, memTx, []projection.Ref) (map[projection.Ref]string, error) {
	return nil, nil
}
