package archive

import (
	"crypto/sha256"
	"strconv"

	"passbook/es/event"
)

// seen tells what was there before, at the price of some 40 bytes each: 128 bits
// of a hash that nobody can aim at stand for the text.
type seen map[[16]byte]struct{}

// add returns false for what was added before.
func (s seen) add(text string) bool {
	sum := sha256.Sum256([]byte(text))
	short := [16]byte(sum[:])
	if _, ok := s[short]; ok {
		return false
	}
	s[short] = struct{}{}
	return true
}

func (s seen) addKey(key event.Key) bool {
	return s.add(strconv.Itoa(len(key.Client)) + ":" + key.Client + key.Value)
}
