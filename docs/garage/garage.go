package main

import (
	"errors"
	"maps"

	"passbook/es/aggregate"
	"passbook/es/event"
)

// What happens in a garage.
type (
	CarEntered struct{ Plate string }
	CarLeft    struct{ Plate string }
)

var (
	ErrFull    = errors.New("the garage is full")
	ErrInside  = errors.New("that car is inside already")
	ErrOutside = errors.New("that car is not inside")
)

// Garage is what decisions are made on: the cars that are inside.
type Garage map[string]bool

const places = 3

func Enter(g Garage, plate string) ([]any, error) {
	switch {
	case g[plate]:
		return nil, ErrInside
	case len(g) == places:
		return nil, ErrFull
	}
	return []any{CarEntered{plate}}, nil
}

func Leave(g Garage, plate string) ([]any, error) {
	if !g[plate] {
		return nil, ErrOutside
	}
	return []any{CarLeft{plate}}, nil
}

// Evolve returns the garage after an event. The one before it may still be
// needed, so it makes a new one.
func Evolve(g Garage, payload any) Garage {
	next := Garage{}
	maps.Copy(next, g)
	switch e := payload.(type) {
	case CarEntered:
		next[e.Plate] = true
	case CarLeft:
		delete(next, e.Plate)
	}
	return next
}

// definition tells the toolkit what a garage is. The names are what is stored:
// the Go types may be renamed at any time, these never.
func definition() (aggregate.Definition[Garage], error) {
	codec, err := event.NewCodec(
		event.Define[CarEntered]("garage.car.entered", 1),
		event.Define[CarLeft]("garage.car.left", 1))
	return aggregate.Definition[Garage]{Category: "garage", Codec: codec, Evolve: Evolve}, err
}
