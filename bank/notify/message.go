package notify

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"passbook/contract/account"
)

// Kind is what happened to an account, in the words of statements.
type Kind string

// The kinds of notifications.
const (
	KindOpened    Kind = "OPENED"
	KindDeposited Kind = "DEPOSITED"
	KindWithdrawn Kind = "WITHDRAWN"
	KindClosed    Kind = "CLOSED"
)

// Message is what there is to tell. It is stored with the notification, so that
// what is sent does not depend on what happens later.
type Message struct {
	Kind      Kind      `json:"kind"`
	EventID   string    `json:"eventId"`
	AccountID string    `json:"accountId"`
	Version   int64     `json:"version"`
	Time      time.Time `json:"time"`
	Holder    string    `json:"accountHolder,omitempty"`
	// Amount is what was moved; nil at a closing.
	Amount *account.Money `json:"amount,omitempty"`
	// Balance is that after the event; nil where it is not known.
	Balance   *account.Money `json:"balance,omitempty"`
	Reference string         `json:"reference,omitempty"`
	Reason    string         `json:"reason,omitempty"`
}

// Text is the message as one English sentence for the holder. It has nothing in
// it that a customer could have written but the account's id, which is plain
// ASCII without spaces.
func (m Message) Text() string {
	switch m.Kind {
	case KindOpened:
		return fmt.Sprintf("Your account %s was opened%s.", m.AccountID, m.withBalance(" with a balance of "))
	case KindDeposited:
		return fmt.Sprintf("%s was deposited into your account %s%s.", m.amount(), m.AccountID, m.withBalance("; the balance is now "))
	case KindWithdrawn:
		return fmt.Sprintf("%s was withdrawn from your account %s%s.", m.amount(), m.AccountID, m.withBalance("; the balance is now "))
	case KindClosed:
		return fmt.Sprintf("Your account %s was closed%s.", m.AccountID, m.withBalance("; its last balance was "))
	}
	return fmt.Sprintf("Something happened to your account %s.", m.AccountID)
}

// Subject is a heading for Text. It names no amount: subjects are shown where
// texts are not.
func (m Message) Subject() string {
	switch m.Kind {
	case KindOpened:
		return "Your account " + m.AccountID + " was opened"
	case KindDeposited:
		return "A deposit into your account " + m.AccountID
	case KindWithdrawn:
		return "A withdrawal from your account " + m.AccountID
	case KindClosed:
		return "Your account " + m.AccountID + " was closed"
	}
	return "Your account " + m.AccountID
}

func (m Message) amount() string {
	if m.Amount == nil {
		return "Money"
	}
	return m.Amount.String()
}

func (m Message) withBalance(words string) string {
	if m.Balance == nil {
		return ""
	}
	return words + m.Balance.String()
}

// notificationID is the same whoever records the event for the channel, and
// whenever: a receiver can tell a repeat even where the record of what was sent
// was lost. It has the form of a UUID of version 8, made from SHA-256 as RFC
// 9562 shows it in its appendix.
func notificationID(eventID, channel string) string {
	b := sha256.Sum256([]byte(eventID + "\x00" + channel))
	b[6] = b[6]&0x0f | 0x80
	b[8] = b[8]&0x3f | 0x80
	s := hex.EncodeToString(b[:16])
	return s[:8] + "-" + s[8:12] + "-" + s[12:16] + "-" + s[16:20] + "-" + s[20:]
}
