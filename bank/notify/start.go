package notify

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"

	"passbook/es/bus"
	"passbook/es/event"
	"passbook/es/projection"
)

// errNoStart: nobody has looked yet where the feed ends.
var errNoStart = errors.New("the feed has not been reached yet, so it is not known from where on to notify")

// start is from where on events are notified.
//
// Two conditions, because each alone has a hole. The position is what was in the
// feed when it was first reached. But the feed may be younger than the database:
// where the broker's data was deleted together with the notification DB, the
// relay publishes all of history to an empty topic. So nothing is notified
// either that happened before the tables were made. The time alone would not
// do, since an account's events bear no time before that of its last one, which
// a wrong clock may have put far ahead.
type start struct {
	time     time.Time
	position int64
}

func (s start) notifies(e event.Envelope) bool {
	return !e.Metadata.Imported && e.Position > s.position && !e.Time.Before(s.time)
}

// start returns from where on events are notified, or errNoStart.
func (m *model) start(ctx context.Context, tx *sql.Tx) (start, error) {
	micros, position, err := m.sql.readState(ctx, tx)
	switch {
	case err != nil:
		return start{}, err
	case !position.Valid:
		return start{}, errNoStart
	}
	return start{time: moment(micros), position: position.Int64}, nil
}

func (s statements) readState(ctx context.Context, tx *sql.Tx) (micros int64, position sql.NullInt64, err error) {
	err = tx.QueryRowContext(ctx, s.state).Scan(&micros, &position)
	return micros, position, err
}

// starter finds out once in the life of a database from where on to notify, and
// keeps it there.
type starter struct {
	store projection.Store[*sql.Tx]
	sql   statements
	feed  Feed
	// fromBeginning: everything that is in the feed is to be notified.
	fromBeginning bool

	mu    sync.Mutex
	known bool
}

// ensure makes sure that a start is stored, by looking into the topic if it is
// not. The model reads the feed from its beginning all the same: it needs the
// openings for the contacts, and the heads for the gate.
func (s *starter) ensure(ctx context.Context, topic bus.Topic) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.known {
		return nil
	}
	micros, err := s.look(ctx)
	if errors.Is(err, errNoStart) {
		err = s.find(ctx, topic, micros)
	}
	if err != nil {
		return fmt.Errorf("find out from where on to notify: %w", err)
	}
	s.known = true
	return nil
}

// look returns errNoStart where none is stored, with the time before which
// nothing is notified.
func (s *starter) look(ctx context.Context) (micros int64, err error) {
	var position sql.NullInt64
	err = s.store.View(ctx, func(tx *sql.Tx) error {
		micros, position, err = s.sql.readState(ctx, tx)
		return err
	})
	if err == nil && !position.Valid {
		err = errNoStart
	}
	return micros, err
}

func (s *starter) find(ctx context.Context, topic bus.Topic, micros int64) error {
	var position int64
	if s.fromBeginning {
		micros = 0
	} else {
		bounds, err := s.feed.Bounds(ctx, topic)
		if err != nil {
			return err
		}
		for partition, b := range bounds {
			last, err := s.lastBefore(ctx, topic, int32(partition), b, moment(micros))
			if err != nil {
				return err
			}
			position = max(position, last)
		}
	}
	return s.store.Update(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, s.sql.setStart, micros, position)
		return err
	})
}

// tailMin is how many records are first looked at, from the end of a partition.
const tailMin = 64

// lastBefore returns the position of the last event in a partition that happened
// before a time, or 0. What happened since may lie in the feed already: between
// the making of the tables and this look there is the start of a whole process.
func (s *starter) lastBefore(
	ctx context.Context, topic bus.Topic, partition int32, b bus.Bounds, t time.Time,
) (position int64, err error) {
	for end, size := b.End, int64(tailMin); end > b.First && position == 0; size *= 2 {
		from := max(b.First, end-size)
		for r, err := range s.feed.Read(ctx, topic, partition, from, end) {
			if err != nil {
				return 0, err
			}
			if _, e, err := bus.Decode(r.Message); err == nil && e.Time.Before(t) {
				position = max(position, e.Position)
			}
		}
		end = from
	}
	return position, nil
}
