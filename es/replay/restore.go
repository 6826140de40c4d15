package replay

import "time"

// State is what has become of a restore.
type State string

// The states of a restore.
const (
	StateRunning State = "running"
	StateDone    State = "done"
	StateFailed  State = "failed"
)

// Step is what a running restore is at.
type Step string

// The steps of a restore, in order. A builder that takes over from one that died
// begins at StepReplaying again.
const (
	// StepRequested: it waits for a publisher.
	StepRequested Step = "requested"
	// StepPublishing: the store's events go to the replay topic.
	StepPublishing Step = "publishing"
	// StepPublished: it waits for a builder.
	StepPublished Step = "published"
	// StepReplaying: the replay goes into the new line.
	StepReplaying Step = "replaying"
	// StepChecking: the application checks the new line.
	StepChecking Step = "checking"
	// StepCatchingUp: the new line reads what has happened meanwhile.
	StepCatchingUp Step = "catching up"
	// StepSwapping: the new line is to take the place of the old one.
	StepSwapping Step = "swapping"
)

// Restore is one restore as the log tells of it.
type Restore struct {
	ID    string
	State State
	// Step is empty unless the restore is running.
	Step Step
	// By is who asked for it, as Request was told.
	By string
	// RequestedAt and HeardAt, when somebody last told of it, are by the clocks
	// of those who did.
	RequestedAt, HeardAt time.Time
	// History is that of the store that it is made from.
	History string
	// Total is how many events the store had when it was published; Published
	// of them are in the replay topic, Events in the new line. They begin again
	// where somebody takes over. Total is 0 before publishing.
	Published, Events, Total int64
	// Differences is what Compare has counted, Parked how many streams of the
	// new line are parked.
	Differences, Parked int64
	// Trouble is why a running restore is being tried again, for people.
	Trouble string
	// Error is why it has failed, one line for people.
	Error string
	// Stalled: it is running, but nothing was heard of it for so long that the
	// next request takes its place.
	Stalled bool
}
