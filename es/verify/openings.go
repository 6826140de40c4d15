package verify

import (
	"context"

	"passbook/es/event"
)

// openingsMax is how many streams are asked for at once.
const openingsMax = 500

// openings finds the streams that the read model does not have at all. They are
// known by their first events, which the scan passes by: so no list of all
// streams is needed.
type openings struct {
	*attempt
	streams []string
}

func (o *openings) add(ctx context.Context, e event.Envelope) error {
	if e.Version != 0 {
		return nil
	}
	o.streams = append(o.streams, e.Stream)
	if len(o.streams) < openingsMax {
		return nil
	}
	return o.flush(ctx)
}

// flush walks along those of the streams that have no row. What they have in the
// store is looked at here, for no page of the read model will lead there.
func (o *openings) flush(ctx context.Context) error {
	absent := make(map[string]*walk)
	err := o.view(ctx, func(v View) error {
		clear(absent)
		heads, err := v.Heads(ctx, o.streams)
		if err != nil {
			return err
		}
		for _, stream := range o.streams {
			if _, ok := heads[stream]; ok {
				continue
			}
			parked, isParked, err := v.ParkedStream(ctx, stream)
			if err != nil {
				return err
			}
			discarded, err := v.Discarded(ctx, stream)
			if err != nil {
				return err
			}
			w := o.walk(stream)
			w.parked, w.isParked, w.discarded = parked, isParked, discarded
			absent[stream] = w
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, stream := range o.streams {
		if w, ok := absent[stream]; ok {
			if err := w.behind(ctx); err != nil {
				return err
			}
		}
	}
	o.streams = o.streams[:0]
	return nil
}
