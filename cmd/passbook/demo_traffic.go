package main

import (
	"fmt"
	"math/rand/v2"

	"passbook/bank/client"
	"passbook/contract/account"
)

// demoTraffic makes up what people do, the same for the same seed. It is not
// safe for concurrent use.
type demoTraffic struct {
	chance *rand.Rand
	eur    account.Currency
	people []*demoPerson
}

// demoStep is one thing that somebody does.
type demoStep struct {
	who      int // index of the person
	holder   string
	id       string
	in       bool
	movement client.Movement
}

func newDemoTraffic(seed uint64, accounts int) (*demoTraffic, error) {
	eur, err := account.ParseCurrency("EUR")
	if err != nil {
		return nil, fmt.Errorf("demo: %w", err)
	}
	t := &demoTraffic{chance: rand.New(rand.NewPCG(seed, 0)), eur: eur} //nolint:gosec // it has to be the same each time
	t.people, err = newDemoPeople(t.chance, seed, accounts, eur)
	return t, err
}

// next makes up one step. Nobody spends what they do not have, as far as the
// demo knows; where others use the accounts too, it may be wrong.
func (t *demoTraffic) next() (demoStep, error) {
	who := t.chance.IntN(len(t.people))
	person := t.people[who]
	habit := t.habit(demoHabits[person.opening.AccountType])
	amount := habit.min + t.chance.Int64N(habit.max-habit.min+1)
	if !habit.in && amount > person.minor {
		habit.in, habit.reference = true, "transfer from another bank"
	}
	if habit.in {
		person.minor += amount
	} else {
		person.minor -= amount
	}
	money, err := account.NewMoney(amount, t.eur)
	if err != nil {
		return demoStep{}, fmt.Errorf("demo: %w", err)
	}
	return demoStep{
		who: who, holder: person.opening.AccountHolder, id: person.opening.AccountID, in: habit.in,
		movement: client.Movement{Amount: money, Reference: habit.reference},
	}, nil
}

func (t *demoTraffic) habit(habits []demoHabit) demoHabit {
	total := 0
	for _, habit := range habits {
		total += habit.often
	}
	chosen := t.chance.IntN(total)
	for _, habit := range habits {
		if chosen -= habit.often; chosen < 0 {
			return habit
		}
	}
	return habits[0] // not reached: the shares add up to the total
}
