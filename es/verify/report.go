package verify

import (
	"fmt"
	"strings"

	"passbook/es/event"
)

// Place is where a difference shows.
type Place string

// The places.
const (
	InStore      Place = "store"
	InFeed       Place = "feed"
	InReadModel  Place = "read model"
	InCheckpoint Place = "checkpoint"
)

// Kind says what a difference is.
type Kind string

// The kinds.
const (
	// Missing: something must be there and is not.
	Missing Kind = "missing"
	// Altered: it is there, and is not what it was.
	Altered Kind = "altered"
	// Invented: nothing that it could come from is in the store.
	Invented Kind = "invented"
	// Reordered: it lies behind an event that it must lie before.
	Reordered Kind = "reordered"
	// Foreign: a record that is no event.
	Foreign Kind = "foreign"
	// OtherHistory: it belongs to another history of the store.
	OtherHistory Kind = "other history"
	// Misplaced: it lies in a partition where its stream does not belong.
	Misplaced Kind = "misplaced"
	// Unapplicable: the store has an event that does not follow from those
	// before it in its stream, or that cannot be read.
	Unapplicable Kind = "unapplicable"
	// Moved: a checkpoint does not stand where it says.
	Moved Kind = "moved"
)

// Difference is one thing that does not agree.
type Difference struct {
	Place Place `json:"place"`
	Kind  Kind  `json:"kind"`
	// Stream, Version, Position and EventID name the event, as far as there is
	// one: Version is event.NoVersion and Position 0 where there is none.
	Stream   string `json:"stream,omitempty"`
	Version  int64  `json:"version"`
	Position int64  `json:"position,omitempty"`
	EventID  string `json:"eventId,omitempty"`
	// Record is the place in the topic, if it shows there.
	Record *RecordPlace `json:"record,omitempty"`
	// Text says in one line what is where.
	Text string `json:"text"`
}

// RecordPlace is a place in the topic.
type RecordPlace struct {
	Partition int32 `json:"partition"`
	Offset    int64 `json:"offset"`
}

// String gives the difference in one line.
func (d Difference) String() string {
	var line strings.Builder
	fmt.Fprintf(&line, "%s: %s:", d.Place, d.Kind)
	if d.Stream != "" {
		fmt.Fprintf(&line, " stream %s", d.Stream)
		if d.Version != event.NoVersion {
			fmt.Fprintf(&line, " version %d", d.Version)
		}
	}
	if d.Position > 0 {
		fmt.Fprintf(&line, " position %d", d.Position)
	}
	if d.Record != nil {
		fmt.Fprintf(&line, " (partition %d, offset %d)", d.Record.Partition, d.Record.Offset)
	}
	fmt.Fprintf(&line, ": %s", d.Text)
	return strings.ReplaceAll(line.String(), "\n", " ")
}

// Topic of a Note.
const (
	NoteLag         = "lag"
	NoteRepeats     = "repeats"
	NoteParked      = "parked"
	NoteDiscarded   = "discarded"
	NoteTruncated   = "truncated"
	NoteReadAgain   = "read again"
	NoteNotCompared = "not compared"
)

// Note is something that is no difference and that a reader wants to know.
type Note struct {
	About string `json:"about"`
	// Stream is that of a parked stream or a discarded event.
	Stream string `json:"stream,omitempty"`
	Text   string `json:"text"`
}

// String gives the note in one line.
func (n Note) String() string {
	if n.Stream != "" {
		return strings.ReplaceAll(fmt.Sprintf("%s: stream %s: %s", n.About, n.Stream, n.Text), "\n", " ")
	}
	return n.About + ": " + n.Text
}

// Report is what a comparison found.
type Report struct {
	History string `json:"history"`
	Topic   string `json:"topic"`
	TopicID string `json:"topicId"`
	Line    string `json:"line,omitempty"`
	// Events, Records, Rows and Entries are how many were compared.
	Events  int64 `json:"events"`
	Records int64 `json:"records"`
	Rows    int64 `json:"rows"`
	Entries int64 `json:"entries"`
	// RelayLag is how many events lie behind what the relay had confirmed,
	// ReadModelLag how many of those in the topic were not applied yet.
	RelayLag     int64 `json:"relayLag"`
	ReadModelLag int64 `json:"readModelLag"`
	// Repeats counts records that repeat an earlier one exactly.
	Repeats int64 `json:"repeats"`
	// Parked and Discarded count streams and events.
	Parked    int64 `json:"parked"`
	Discarded int64 `json:"discarded"`

	// Found counts all differences, of which Differences are the first ones.
	Found       int64        `json:"differencesFound"`
	Differences []Difference `json:"differences"`
	Notes       []Note       `json:"notes"`
	// Attempts is how often the comparison was begun.
	Attempts int `json:"attempts"`

	max   int
	known map[string]bool
}

func newReport(most int) *Report {
	return &Report{max: most, known: make(map[string]bool), Differences: []Difference{}, Notes: []Note{}}
}

// Agree tells that there is no difference.
func (r *Report) Agree() bool { return r.Found == 0 }

// differ adds a difference. One that is known is left out: what one look finds,
// another may meet again.
func (r *Report) differ(d Difference) {
	if len(r.Differences) >= r.max {
		r.Found++
		return
	}
	line := d.String()
	if r.known[line] {
		return
	}
	r.known[line] = true
	r.Found++
	r.Differences = append(r.Differences, d)
}

// notef adds a note. Of each kind so many are kept, for there may be a parked
// stream for every account.
func (r *Report) notef(about, stream, format string, args ...any) {
	if len(r.Notes) < r.max {
		r.Notes = append(r.Notes, Note{About: about, Stream: stream, Text: fmt.Sprintf(format, args...)})
	}
}

// of names an event in a difference.
func of(place Place, kind Kind, e event.Envelope, format string, args ...any) Difference {
	return Difference{
		Place: place, Kind: kind, Stream: e.Stream, Version: e.Version, Position: e.Position, EventID: e.ID,
		Text: fmt.Sprintf(format, args...),
	}
}

// at adds where in the topic it shows.
func (d Difference) at(partition int32, offset int64) Difference {
	d.Record = &RecordPlace{Partition: partition, Offset: offset}
	return d
}
