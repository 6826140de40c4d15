package archive

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Header is the first line of a file.
type Header struct {
	// Passbook is "events", and Format 1: what the file is told by.
	Passbook string `json:"passbook"`
	Format   int    `json:"format"`
	// History is the id of the history that the events are of.
	History string `json:"history"`
	// Program and Time tell which program wrote the file, and when, in UTC.
	Program string    `json:"program"`
	Time    time.Time `json:"time"`
	// Head is the position of the last event.
	Head int64 `json:"head"`
}

const (
	fileKind   = "events"
	fileFormat = 1
)

// end is the last line.
type end struct {
	Events int64  `json:"events"`
	Keys   int64  `json:"keys"`
	SHA256 string `json:"sha256"` // of everything before this line, in hexadecimal
}

type endLine struct {
	End end `json:"end"`
}

// endPrefix is what the last line begins with; no other line does.
const endPrefix = `{"end":`

// encode writes one of the two lines, less the newline.
func encode(line any) ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(line); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// decode reads what encode has written, and nothing else.
func decode(line []byte, into any) error {
	if err := json.Unmarshal(line, into); err != nil {
		return err
	}
	again, err := encode(into)
	if err != nil {
		return err
	}
	if !bytes.Equal(again, line) {
		return errForm
	}
	return nil
}

func parseHeader(line []byte) (Header, error) {
	var h Header
	if json.Unmarshal(line, &h) != nil || h.Passbook != fileKind {
		return Header{}, errors.New("it is no export of a passbook event store")
	}
	if h.Format != fileFormat { // the rest of the line may look otherwise then
		return Header{}, fmt.Errorf("the file has format %d, and this program reads format %d: use the program that wrote it, or a newer one",
			h.Format, fileFormat)
	}
	if err := decode(line, &h); err != nil {
		return Header{}, err
	}
	if h.Head < 0 {
		return Header{}, errForm
	}
	return h, nil
}
