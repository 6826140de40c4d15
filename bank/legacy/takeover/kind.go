package takeover

import "slices"

// Kind names one way in which an event or an account of the source is not what
// it should be. Kinds are what people choose rules for, so names are not changed.
type Kind string

// The kinds.
const (
	ForeignID          Kind = "foreign-id"
	NoAccount          Kind = "no-account"
	BadAccountID       Kind = "bad-account-id"
	UnknownType        Kind = "unknown-type"
	UnknownMember      Kind = "unknown-member"
	Malformed          Kind = "malformed"
	Contradiction      Kind = "contradiction"
	MissingTime        Kind = "missing-time"
	DuplicateVersion   Kind = "duplicate-version"
	OutOfOrder         Kind = "out-of-order"
	Gap                Kind = "gap"
	BeforeOpening      Kind = "before-opening"
	SecondOpening      Kind = "second-opening"
	AfterClosing       Kind = "after-closing"
	MissingHolder      Kind = "missing-holder"
	BadHolder          Kind = "bad-holder"
	MissingType        Kind = "missing-type"
	NotANumber         Kind = "not-a-number"
	InexactAmount      Kind = "inexact-amount"
	OverLimit          Kind = "over-limit"
	NegativeOpening    Kind = "negative-opening"
	NegativeDeposit    Kind = "negative-deposit"
	ZeroDeposit        Kind = "zero-deposit"
	NegativeWithdrawal Kind = "negative-withdrawal"
	ZeroWithdrawal     Kind = "zero-withdrawal"
	Overdraft          Kind = "overdraft"
	ClosingWithMoney   Kind = "closing-with-money"
)

// Names of rules.
const (
	leaveOutAccount   = "leave-out-account"
	leaveOutEvent     = "leave-out-event"
	ignore            = "ignore"
	keep              = "keep"
	fromID            = "from-id"
	renumber          = "renumber"
	renumberByVersion = "renumber-by-version"
	holderName        = "name"
	cleanHolder       = "clean"
	accountType       = "type"
	asZero            = "zero"
	roundAmount       = "round"
	asWithdrawal      = "as-withdrawal"
	asDeposit         = "as-deposit"
)

// About is what there is to know of a kind.
type About struct {
	Kind Kind
	// Means is what was found, as a sentence without its full stop.
	Means string
	// Choices are the rules for it. The first that is not leave-out-account is
	// what the check goes on with as long as there is no rule, to find what else
	// there is.
	Choices []Choice
}

// Choice is one rule that can be given for a kind.
type Choice struct {
	Name string `json:"name"`
	// Value stands for what is given behind the name; empty if nothing is.
	Value string `json:"value,omitempty"`
	// Does is what comes of it.
	Does string `json:"does"`
}

// String is how the rule is given.
func (c Choice) String() string {
	if c.Value == "" {
		return c.Name
	}
	return c.Name + "=" + c.Value
}

// Kinds lists every kind, in the order in which a report has them.
func Kinds() []About {
	return slices.Concat(kindsOfDocuments(), kindsOfHistories(), kindsOfOpenings(), kindsOfAmounts())
}

func about(kind Kind, means string, corrections ...Choice) About {
	out := Choice{Name: leaveOutAccount, Does: "the account is not taken over"}
	return About{Kind: kind, Means: means, Choices: append([]Choice{out}, corrections...)}
}

func dropped() Choice {
	return Choice{Name: leaveOutEvent, Does: "the event is not taken over, the rest of the account is"}
}

func kindsOfDocuments() []About {
	return []About{
		{Kind: NoAccount, Means: "a document names no account", Choices: []Choice{{Name: leaveOutEvent, Does: "the document is not taken over"}}},
		about(ForeignID, "a document has an _id that is no ObjectId"),
		about(BadAccountID, "the account's id is none that passbook can have: 1 to 64 of A–Z a–z 0–9 . _ -"),
		about(UnknownType, "eventType, aggregateType or _class is none of the Java system's", dropped()),
		about(UnknownMember, "a document has a member that the Java system does not write",
			Choice{Name: ignore, Does: "the member is lost"}),
		about(Malformed, "a member is missing, is there twice, or is of another type than the Java system writes", dropped()),
		about(Contradiction, "eventData names another account, version or class than the document around it",
			Choice{Name: ignore, Does: "what the document says holds"}, dropped()),
		about(MissingTime, "timeStamp or createdDate is missing or no date from 1970 to 9999",
			Choice{Name: fromID, Does: "the second that the _id was made in"}),
	}
}

func kindsOfHistories() []About {
	stored := Choice{Name: renumber, Does: "numbered anew in stored order, which is what the Java system reads"}
	sorted := Choice{Name: renumberByVersion, Does: "put in the order of their versions, equal ones as stored, and numbered anew"}
	return []About{
		about(DuplicateVersion, "a version is there several times", stored, sorted),
		about(OutOfOrder, "a version is stored behind a later one", stored, sorted),
		about(Gap, "versions are missing", Choice{Name: renumber, Does: "numbered anew; what is missing stays missing"}),
		about(BeforeOpening, "an event comes before the account's opening, or there is no opening", dropped()),
		about(SecondOpening, "an account is opened again", dropped()),
		about(AfterClosing, "an event comes after the account's closing", dropped()),
	}
}

func kindsOfOpenings() []About {
	name := Choice{Name: holderName, Value: "TEXT", Does: "the holder is TEXT"}
	return []About{
		about(MissingHolder, "the account has no holder", name),
		about(BadHolder, "the holder is blank, longer than 200 characters, or has control characters",
			Choice{Name: cleanHolder, Does: "control characters become spaces, and what is too long is cut off"}, name),
		about(MissingType, "the account has no type, or one that is neither SAVINGS nor CURRENT",
			Choice{Name: accountType, Value: "SAVINGS", Does: "it is a savings account"},
			Choice{Name: accountType, Value: "CURRENT", Does: "it is a current account"}),
		about(NegativeOpening, "the opening balance is below zero", Choice{Name: asZero, Does: "the account opens with nothing"}),
	}
}

func kindsOfAmounts() []About {
	return []About{
		about(NotANumber, "an amount is NaN or infinite", Choice{Name: asZero, Does: "an opening is with nothing, another event is not taken over"}),
		about(InexactAmount, "an amount has more decimals than the currency",
			Choice{Name: roundAmount, Does: "rounded to the nearest, halves away from zero"}, dropped()),
		about(OverLimit, "an amount or the balance after it is beyond the limit of amounts", dropped()),
		about(NegativeDeposit, "a deposit is below zero",
			Choice{Name: asWithdrawal, Does: "a withdrawal of that amount, which is what the Java system made of it"}, dropped()),
		about(ZeroDeposit, "a deposit is zero", dropped()),
		about(NegativeWithdrawal, "a withdrawal is below zero",
			Choice{Name: asDeposit, Does: "a deposit of that amount, which is what the Java system made of it"}, dropped()),
		about(ZeroWithdrawal, "a withdrawal is zero", dropped()),
		about(Overdraft, "a withdrawal is larger than the balance", dropped()),
		about(ClosingWithMoney, "an account is closed with money in it",
			Choice{Name: keep, Does: "it is closed, and the money stays in it"},
			Choice{Name: leaveOutEvent, Does: "it stays open"}),
	}
}
