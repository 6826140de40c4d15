package access

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
)

const (
	// keyPrefix lets tools that look for leaked secrets know what they found.
	keyPrefix = "passbook_"
	keyBytes  = 32

	hashPrefix = "sha256:"

	nameMax = 64
	// presentedMax is how long a presented key may be before it is looked at.
	presentedMax = 256
)

// NewKey makes a key for a client of that name. The key is for the client, and
// nobody can have it a second time; the line is for the file of keys.
//
// A key is 32 random bytes, so that a plain SHA-256 of it is as good to keep as
// anything slower: there is nothing to guess.
func NewKey(name string, scopes []Scope) (key, line string, err error) {
	if err := checkName(name); err != nil {
		return "", "", err
	}
	if len(scopes) == 0 {
		return "", "", errors.New("a key without a scope is good for nothing: want some of " + joinScopes(Scopes()))
	}
	secret := make([]byte, keyBytes)
	_, _ = rand.Read(secret) // it never fails: see crypto/rand
	key = keyPrefix + base64.RawURLEncoding.EncodeToString(secret)
	hash := hashOf(key)
	line = name + " " + hashPrefix + base64.RawURLEncoding.EncodeToString(hash[:]) + " " + joinScopes(scopes)
	return key, line, nil
}

// checkName accepts what can stand in a line, a log and a metric as it is.
func checkName(name string) error {
	inside := func(c rune) bool {
		return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.ContainsRune("._-", c)
	}
	outside := func(c rune) bool { return !inside(c) }
	if name == "" || len(name) > nameMax || slices.ContainsFunc([]rune(name), outside) {
		return fmt.Errorf("a key's name has 1 to %d of A-Z a-z 0-9 . _ -", nameMax)
	}
	return nil
}

type keyHash [sha256.Size]byte

func hashOf(key string) keyHash { return sha256.Sum256([]byte(key)) }

func parseHash(text string) (keyHash, error) {
	encoded, ok := strings.CutPrefix(text, hashPrefix)
	decoded, err := base64.RawURLEncoding.Strict().DecodeString(encoded)
	if !ok || err != nil || len(decoded) != sha256.Size {
		return keyHash{}, errors.New("the second word is no hash of a key: it looks like sha256:…, as passbook keys new prints it")
	}
	return keyHash(decoded), nil
}
