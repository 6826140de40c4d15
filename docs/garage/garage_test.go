package main

import (
	"testing"

	"passbook/es/estest"
)

func TestGarage(t *testing.T) {
	enter := func(plate string) func(Garage) ([]any, error) {
		return func(g Garage) ([]any, error) { return Enter(g, plate) }
	}
	leave := func(plate string) func(Garage) ([]any, error) {
		return func(g Garage) ([]any, error) { return Leave(g, plate) }
	}
	full := estest.Given(t, must(definition()), CarEntered{"A"}, CarEntered{"B"}, CarEntered{"C"})
	full.When(enter("D")).ThenRefused(ErrFull)
	full.When(enter("A")).ThenRefused(ErrInside)
	full.When(leave("D")).ThenRefused(ErrOutside)
	full.When(leave("B")).Then(CarLeft{"B"}).When(enter("D")).Then(CarEntered{"D"})
}
