package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"passbook/contract/account"
)

// The same seed makes up the same people, who do the same; nobody spends what
// they do not have; everything is within what the API takes.
func TestDemoTraffic(t *testing.T) {
	one, err := newDemoTraffic(7, 40)
	require.NoError(t, err)
	same, err := newDemoTraffic(7, 40)
	require.NoError(t, err)
	other, err := newDemoTraffic(8, 40)
	require.NoError(t, err)
	require.NotEqual(t, one.people, other.people)

	balances, references := map[string]int64{}, map[string]int{}
	for i, person := range one.people {
		require.Equal(t, same.people[i], person)
		require.NoError(t, account.CheckAccountHolder(person.opening.AccountHolder))
		require.NoError(t, account.CheckAccountID(person.opening.AccountID))
		balances[person.opening.AccountID] = person.opening.OpeningBalance.Minor()
	}
	require.Len(t, balances, 40, "an account each")
	for range 20000 {
		step, err := one.next()
		require.NoError(t, err)
		again, err := same.next()
		require.NoError(t, err)
		require.Equal(t, again, step)
		require.Positive(t, step.movement.Amount.Minor())
		change := step.movement.Amount.Minor()
		if !step.in {
			change = -change
		}
		balances[step.id] += change
		require.GreaterOrEqual(t, balances[step.id], int64(0))
		references[step.movement.Reference]++
	}
	for _, habits := range demoHabits {
		for _, habit := range habits {
			require.Positive(t, references[habit.reference], habit.reference)
		}
	}
}
