package projection

import (
	"context"
	"errors"
)

// ErrNoLine is returned where the line that is spoken of is not the one that is
// being built, because another has been begun since, or it was swapped or dropped.
var ErrNoLine = errors.New("no such line is being built")

// Lines is what an engine implements so that a read model can be built anew
// beside the one that is in use: a second set of tables, the next line, which
// takes the place of the live one in one step.
//
// A line is the model's tables with the engine's own for checkpoints and parked
// streams. What was discarded belongs to no line. There is one next line at
// most. The tables of the model are the application's: it names them, and makes
// those of a line in the transaction that it is given.
type Lines[Tx any] interface {
	// Store is that of the live line, also after a swap.
	Store[Tx]
	// Next returns the Store of the next line, whatever its id is. Its
	// transactions fail with ErrNoLine while there is none. Who builds one line
	// and no other looks at Line in each of them.
	Next() Store[Tx]
	// Line returns the ids of the live line, which changes with each swap, and
	// of the next one, empty where none was begun or the last was swapped or
	// dropped.
	Line(ctx context.Context, tx Tx) (live, next string, err error)
	// Begin makes the tables of a next line, with that id, after what another
	// next line left behind is removed. An id that was used before, if only for
	// a line that was dropped, is an error. create makes those of the model,
	// whose names are given: for each of the model's tables the name that it has
	// in the next line. Indexes keep their names when a line is swapped, so each
	// needs one that no line had before, where an engine has one set of them. An
	// error of create is returned, and leaves no next line.
	Begin(ctx context.Context, id string, tables []string, create func(ctx context.Context, tx Tx, next map[string]string) error) error
	// Swap puts the next line in place of the live one, if it is the one of that
	// id and check returns nil. check sees both lines as they will be at that
	// moment: from before it until after the swap nobody writes to either. Who
	// reads sees one line or the other, never a part of each, and is not held
	// up for longer than a commit takes. An error leaves the live line as it was;
	// that of a commit leaves open which of the two it is, Line tells. Tables
	// are those that the line was begun with.
	//
	// What was the live line is removed afterwards, or by the next Begin.
	Swap(ctx context.Context, id string, tables []string, check func(ctx context.Context, tx Tx) error) error
	// Drop removes the next line, if it is the one of that id, and ErrNoLine
	// otherwise. It may take its time: nobody waits for it.
	Drop(ctx context.Context, id string, tables []string) error
}
