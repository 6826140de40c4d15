package broker

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io/fs"
	"os"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli) //nolint:gochecknoglobals // a table, never written to

// cutJournal cuts a torn end off one of kfake's journals of groups and producers. kfake stops reading at the torn entry but
// appends behind it, so that after a second crash nothing that was written since the first would be found.
//
// An entry is the length of what follows the checksum, the checksum (both 4 bytes, little-endian), and that content.
func cutJournal(path string) error {
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	const frame = 8
	sound := 0
	for rest := raw; len(rest) >= frame; rest = raw[sound:] {
		length := uint64(binary.LittleEndian.Uint32(rest))
		if length == 0 || length > uint64(len(rest)-frame) {
			break
		}
		content := rest[frame : frame+length]
		if crc32.Checksum(content, castagnoli) != binary.LittleEndian.Uint32(rest[4:]) {
			break
		}
		sound += frame + int(length)
	}
	if sound == len(raw) {
		return nil
	}
	return os.Truncate(path, int64(sound))
}
