package eventstore

import (
	"context"

	"passbook/es/event"
)

// Sharing is an engine that knows something of the other processes which append
// to its store. It is no part of Engine: a Store that stands on one loses fewer
// races, and does without as well.
type Sharing interface {
	// Turn returns when it is this process's turn to append: at once, unless
	// others who want to have just lost to it. It is asked before a group is put
	// together, so that what comes in meanwhile goes along. It returns when ctx
	// ends, and asks nobody.
	Turn(ctx context.Context)

	// LeastVersion returns the version of an event of the stream that is durable,
	// the latest one that this process happens to have seen, or event.NoVersion.
	// It asks nobody; the stream may have gone on since.
	LeastVersion(stream string) int64

	// Recent returns events of the stream that other processes wrote and this one
	// has seen: those from version from on, without a gap, ascending; none if the
	// first is not at hand. They are durable, and the stream may have gone on
	// since. It asks nobody.
	Recent(stream string, from int64) []event.Envelope
}

// takeTurn waits for this process's turn.
func (s *Store) takeTurn(ctx context.Context) {
	if s.sharing != nil {
		s.sharing.Turn(ctx)
	}
}

// Recent returns events of the stream from version from on, without a gap, that
// others wrote and that are at hand, which saves reading them; none if the first is
// not. They are durable. The stream may have gone on since.
func (s *Store) Recent(stream string, from int64) []event.Envelope {
	if s.sharing == nil {
		return nil
	}
	return s.sharing.Recent(stream, from)
}

// LeastVersion returns a version that the stream has certainly reached: of all
// that this process has seen of it, the latest. It is event.NoVersion where
// nothing was seen, or where nobody else writes. It asks nobody and costs next to
// nothing: who has decided on an older version need not try to append.
func (s *Store) LeastVersion(stream string) int64 {
	if s.sharing == nil {
		return event.NoVersion
	}
	return s.sharing.LeastVersion(stream)
}
