package bustest

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The flaws that are planted, one at a time.
const (
	flawOpensAnother        = "Open makes the topic again each time"
	flawSameID              = "a topic that is made again keeps its id"
	flawBlind               = "a topic that was made again is not noticed"
	flawBoundsOff           = "the end is one too far"
	flawDropsHeaders        = "headers are lost"
	flawReadInclusive       = "the end of a range is read too"
	flawReadCapped          = "a long range ends early, silently"
	flawIgnoresStop         = "Read goes on when nobody wants more"
	flawReadIgnoresContext  = "Read does not heed its context"
	flawReadSilentGap       = "removed records are passed over"
	flawReadSilentEnd       = "a range beyond the end ends silently"
	flawHolesAreErrors      = "skipped offsets are taken for loss"
	flawNothingIsAnError    = "publishing nothing fails"
	flawByKey               = "records go where their key belongs, not where they are sent"
	flawWrongOffsets        = "a wrong offset is told"
	flawReorders            = "records of a write change places"
	flawTwice               = "a record is stored twice"
	flawLosesLarge          = "a record in the middle of a large call is lost"
	flawEarlyAck            = "records are acknowledged before they are stored"
	flawNoticesLate         = "a topic that was made again is noticed after publishing"
	flawGoesOn              = "the producer goes on after an error"
	flawPassesOver          = "a refused write is passed over"
	flawGoesOnInCall        = "the rest of a call is published behind a refused write"
	flawCloseOnce           = "a second Close panics"
	flawCloseForgets        = "a closed producer publishes"
	flawSkipsPartition      = "a partition is never assigned"
	flawFromStart           = "the offset that Assign returned is ignored"
	flawFromGroup           = "reading begins at the group's offset"
	flawAssignOnce          = "a failed Assign is not called again"
	flawSlides              = "reading goes on at the first offset when its own is gone"
	flawMissingIsFatal      = "Run fails while there is no topic"
	flawLosesBetweenRuns    = "a record between two runs is lost"
	flawStopsAtEnd          = "what comes later is not read"
	flawPassesOverErrors    = "a run that failed is passed over"
	flawOneThread           = "one partition holds up the others"
	flawNeverSeeks          = "the offset that Consume returned is ignored"
	flawCountsOffsets       = "reading waits for skipped offsets"
	flawEmptyRuns           = "runs may be empty"
	flawSmallEnd            = "the end of a run is old"
	flawLateRuns            = "a run is handed out after Revoke"
	flawNoRevoke            = "Revoke is not called"
	flawAfterlife           = "the consumer is called after Run has returned"
	flawReturnsContextError = "Run returns its context's error"
	flawHidesContext        = "Consume's context does not end"
	flawOneGroup            = "all groups are one"
	flawAllToAll            = "every member gets every partition"
	flawNeverRebalances     = "the partitions of a member that left stay with it"
)

// caught names for each flaw the cases that must fail because of it.
func caught() map[string][]string {
	return map[string][]string{
		flawOpensAnother:        {"Open/SameTopicAgain", "Open/AtOnce"},
		flawSameID:              {"Open/MadeAgain", "Assign/TopicMadeAgain"},
		flawBlind:               {"Bounds/FormerTopic", "Read/FormerTopic", "Publish/MadeAgainBefore", "Publish/MadeAgainBetween", "Assign/TopicMadeAgain"},
		flawBoundsOff:           {"Bounds/Empty", "Bounds/Grow"},
		flawDropsHeaders:        {"Read/WhatWasPublished"},
		flawReadInclusive:       {"Read/Ranges"},
		flawReadCapped:          {"Read/Large"},
		flawIgnoresStop:         {"Read/StopEarly"},
		flawReadIgnoresContext:  {"Read/EndedContext"},
		flawReadSilentGap:       {"Read/RemovedRecords"},
		flawReadSilentEnd:       {"Read/BeyondTheEnd"},
		flawHolesAreErrors:      {"Read/SkippedOffsets"},
		flawNothingIsAnError:    {"Publish/Nothing"},
		flawByKey:               {"Publish/Places"},
		flawWrongOffsets:        {"Publish/Places"},
		flawReorders:            {"Publish/Places", "Publish/ManyCalls", "Publish/Large"},
		flawTwice:               {"Publish/ManyCalls"},
		flawLosesLarge:          {"Publish/Large"},
		flawEarlyAck:            {"Publish/DurableWhenItReturns"},
		flawNoticesLate:         {"Publish/MadeAgainBefore", "Publish/MadeAgainBetween"},
		flawGoesOn:              {"Publish/EndedContext", "Publish/RefusedInSteadyLoad"},
		flawPassesOver:          {"Publish/RefusedInSteadyLoad", "Publish/RefusedInOneCall", "Publish/SuccessorGoesOn"},
		flawGoesOnInCall:        {"Publish/RefusedInOneCall"},
		flawCloseOnce:           {"Close/Twice"},
		flawCloseForgets:        {"Close/EndsTheProducer"},
		flawSkipsPartition:      {"Assign/EveryPartition"},
		flawFromStart:           {"Assign/FromTheOffset", "Assign/FromTheEnd"},
		flawFromGroup:           {"Assign/NeverFromTheGroup"},
		flawAssignOnce:          {"Assign/AgainAfterAnError"},
		flawSlides:              {"Assign/OffsetGone"},
		flawMissingIsFatal:      {"Assign/TopicMissing"},
		flawLosesBetweenRuns:    {"Consume/InOrder"},
		flawStopsAtEnd:          {"Consume/Live"},
		flawPassesOverErrors:    {"Consume/AgainAfterAnError"},
		flawOneThread:           {"Consume/OthersFlowBesideAnError", "Consume/OthersFlowBesideASlowOne"},
		flawNeverSeeks:          {"Consume/Back", "Consume/Ahead"},
		flawCountsOffsets:       {"Consume/SkippedOffsets"},
		flawEmptyRuns:           {"Assign/EveryPartition"},
		flawSmallEnd:            {"Assign/EveryPartition"},
		flawLateRuns:            {"Assign/EveryPartition"},
		flawNoRevoke:            {"Run/EndsWithItsContext"},
		flawAfterlife:           {"Run/EndsWithItsContext"},
		flawReturnsContextError: {"Run/EndsWithItsContext", "Run/EndsWithoutEvents"},
		flawHidesContext:        {"Run/EndsInsideConsume"},
		flawOneGroup:            {"Group/EachGetsAll"},
		flawAllToAll:            {"Group/MembersShare"},
		flawNeverRebalances:     {"Group/MemberLeaves"},
	}
}

func TestSuite_PassesWhatIsSound(t *testing.T) {
	t.Run("OnePartition", func(t *testing.T) { Run(t, newTiny("", 1).options(0)) })
	t.Run("FourPartitions", func(t *testing.T) { Run(t, newTiny("", 4).options(0)) })
	t.Run("SubscriberOnly", func(t *testing.T) { Run(t, Options{New: likeAStore}) })
}

func TestSuite_CatchesPlantedFlaws(t *testing.T) {
	for flaw, names := range caught() {
		for _, name := range names {
			t.Run(flaw+"/"+name, func(t *testing.T) {
				t.Parallel()
				all := cases()
				i := slices.IndexFunc(all, func(c testCase) bool { return c.name == name })
				require.GreaterOrEqual(t, i, 0, "there is no such case")
				require.True(t, fails(t, all[i], newTiny(flaw, 4).options(400*time.Millisecond)), "the case does not notice")
			})
		}
	}
}

// TestSuite_EveryCaseCanFail keeps cases out that prove nothing.
func TestSuite_EveryCaseCanFail(t *testing.T) {
	failing := make(map[string]bool)
	for _, names := range caught() {
		for _, name := range names {
			failing[name] = true
		}
	}
	for _, c := range cases() {
		require.True(t, failing[c.name], "no planted flaw makes %s fail", c.name)
	}
}

func TestProbe_NoticesOverlap(t *testing.T) {
	p := newProbe()
	leave := p.enter("Consume", 0)
	p.enter("Assign", 1)()
	require.Empty(t, p.faults, "calls for different partitions may overlap")
	p.enter("Revoke", 0)()
	leave()
	require.Len(t, p.faults, 1)
}

// fails runs a case on a bus and tells whether it failed, or panicked.
func fails(t *testing.T, c testCase, o Options) bool {
	ctx, cancel := context.WithCancel(t.Context())
	r := &recorder{TB: t, ctx: ctx}
	r.guard(func() { c.run(newEnv(r, o)) })
	cancel()
	for _, cleanup := range slices.Backward(r.cleanups) {
		r.guard(cleanup)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.failures) > 0
}

// recorder is a test whose failure is the success of another.
type recorder struct {
	testing.TB
	ctx context.Context //nolint:containedctx // it stands for a test's own

	mu       sync.Mutex
	failures []string
	cleanups []func()
}

// guard runs a part of the test and returns also when it fails or panics.
func (r *recorder) guard(part func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() {
			if p := recover(); p != nil {
				r.Errorf("panic: %v", p)
			}
		}()
		part()
	}()
	<-done
}

func (r *recorder) Context() context.Context { return r.ctx }
func (r *recorder) Cleanup(f func())         { r.cleanups = append(r.cleanups, f) }

func (r *recorder) Errorf(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failures = append(r.failures, strings.TrimSpace(fmt.Sprintf(format, args...)))
}

func (r *recorder) FailNow() {
	r.Errorf("failed")
	runtime.Goexit()
}
