package main

import (
	"fmt"
	"math/rand/v2"

	"passbook/bank/client"
	"passbook/contract/account"
)

// demoPerson is somebody with an account, as the demo believes them to be.
type demoPerson struct {
	opening client.NewAccount
	minor   int64 // balance, if everything so far was carried out
}

// newDemoPeople makes up people, the same for the same source of chance. Their
// accounts' ids are known beforehand, so that a demo that is started again goes
// on with the same accounts.
func newDemoPeople(chance *rand.Rand, seed uint64, n int, eur account.Currency) ([]*demoPerson, error) {
	people := make([]*demoPerson, n)
	for i := range people {
		first, last := pick(chance, firstNames[:]), pick(chance, lastNames[:])
		p := &demoPerson{
			opening: client.NewAccount{
				AccountHolder: first + " " + last, AccountType: account.Current,
				Email: fmt.Sprintf("customer%d@example.com", i+1), AccountID: fmt.Sprintf("demo-%d-%04d", seed, i+1),
			},
			minor: 5000 * chance.Int64N(60), // up to 2,950.00
		}
		if chance.IntN(4) == 0 {
			p.opening.AccountType = account.Savings
		}
		var err error
		if p.opening.OpeningBalance, err = account.NewMoney(p.minor, eur); err != nil {
			return nil, fmt.Errorf("opening balance: %w", err)
		}
		people[i] = p
	}
	return people, nil
}

func pick(chance *rand.Rand, words []string) string { return words[chance.IntN(len(words))] }

// demoHabit is what people do with money: how often among all habits of their
// kind of account, and how much, in cents.
type demoHabit struct {
	reference string
	often     int
	in        bool
	min, max  int64
}

var ( // tables, never written to
	firstNames = [...]string{ //nolint:gochecknoglobals // a table
		"Ada", "Ben", "Chiara", "David", "Elif", "Farid", "Grace", "Hanna", "Ines", "Jakob", "Kaja", "Liam", "Marta", "Noah",
		"Olga", "Paul", "Quinn", "Rosa", "Samir", "Tove", "Uma", "Viktor", "Wanda", "Xenia", "Yusuf", "Zoé",
	}
	lastNames = [...]string{ //nolint:gochecknoglobals // a table
		"Almeida", "Bauer", "Costa", "Dubois", "Eriksen", "Fischer", "García", "Horváth", "Ivanova", "Jansen", "Kowalski", "Lindqvist",
		"Moretti", "Novák", "Okafor", "Petrov", "Quist", "Rossi", "Schmidt", "Tanaka", "Usman", "Virtanen", "Weber", "Yılmaz",
	}
	demoHabits = map[account.Type][]demoHabit{ //nolint:gochecknoglobals // a table
		account.Current: {
			{reference: "groceries", often: 30, min: 800, max: 14000},
			{reference: "salary", often: 12, in: true, min: 190000, max: 480000},
			{reference: "coffee", often: 12, min: 250, max: 900},
			{reference: "restaurant", often: 8, min: 1800, max: 9500},
			{reference: "rent", often: 6, min: 65000, max: 140000},
			{reference: "train ticket", often: 6, min: 390, max: 8900},
			{reference: "electricity", often: 4, min: 4500, max: 16000},
			{reference: "books", often: 4, min: 990, max: 6000},
			{reference: "mobile phone", often: 4, min: 999, max: 4500},
			{reference: "insurance", often: 3, min: 1500, max: 12000},
			{reference: "refund", often: 3, in: true, min: 500, max: 9000},
			{reference: "child benefit", often: 2, in: true, min: 25500, max: 25500},
		},
		account.Savings: {
			{reference: "savings plan", often: 10, in: true, min: 5000, max: 50000},
			{reference: "holiday", often: 2, min: 20000, max: 150000},
			{reference: "interest", often: 1, in: true, min: 10, max: 4000},
			{reference: "birthday present", often: 1, in: true, min: 2000, max: 10000},
		},
	}
)
