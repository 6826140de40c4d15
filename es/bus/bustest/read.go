package bustest

import (
	"context"
	"time"

	"github.com/stretchr/testify/require"

	"passbook/es/bus"
)

func readCases() []testCase {
	return []testCase{
		{"Read/WhatWasPublished", []need{feed}, readPublished},
		{"Read/Ranges", []need{feed}, readRanges},
		{"Read/Large", []need{feed}, readLarge},
		{"Read/StopEarly", []need{feed}, readStopEarly},
		{"Read/EndedContext", []need{feed}, readEndedContext},
		{"Read/FormerTopic", []need{feed, recreate}, readFormerTopic},
		{"Read/RemovedRecords", []need{feed, trim}, readRemoved},
		{"Read/BeyondTheEnd", []need{feed}, readBeyond},
		{"Read/SkippedOffsets", []need{feed, skipping}, readSkipped},
	}
}

func readPublished(e *env) {
	topic := e.open()
	for p := range topic.Partitions {
		records := placed(p, 10, 100)
		offsets := e.publish(topic, records...)
		found, err := e.read(topic, p, offsets[0], offsets[9]+1)
		require.NoError(e, err)
		require.Len(e, found, len(records))
		for i, r := range found {
			require.Equal(e, p, r.Partition)
			require.Equal(e, offsets[i], r.Offset)
			want := records[i].Message
			require.WithinDuration(e, want.Time, r.Time, time.Millisecond-1)
			r.Time = want.Time
			require.Equal(e, want, r.Message)
		}
	}
}

func readRanges(e *env) {
	topic := e.open()
	records := placed(0, 20, 10)
	offsets := e.publish(topic, records...)
	want := ids(0, records)
	for _, r := range [][2]int{{0, 20}, {0, 1}, {19, 20}, {5, 15}, {7, 8}, {0, 0}, {10, 10}} {
		from, end := offsets[0]+int64(r[0]), offsets[0]+int64(r[1])
		found, err := e.read(topic, 0, from, end)
		require.NoError(e, err)
		require.Len(e, found, r[1]-r[0])
		if len(found) > 0 {
			require.Equal(e, want[r[0]:r[1]], idsOf(found))
		}
	}
	end := offsets[19] + 1
	found, err := e.read(topic, 0, end, end)
	require.NoError(e, err)
	require.Empty(e, found, "a range at the end is empty, not awaited")
}

func readLarge(e *env) {
	topic := e.open()
	records := placed(0, 2000, 4<<10)
	e.publish(topic, records...)
	require.Equal(e, ids(0, records), idsOf(e.contents(topic)[0]))
}

func readStopEarly(e *env) {
	topic := e.open()
	offsets := e.publish(topic, placed(0, 5, 10)...)
	n := 0
	for _, err := range e.Feed.Read(e.ctx, topic, 0, offsets[0], offsets[4]+1) {
		require.NoError(e, err)
		if n++; n == 2 {
			break
		}
	}
	require.Equal(e, 2, n)
}

func readEndedContext(e *env) {
	topic := e.open()
	offsets := e.publish(topic, placed(0, 5, 10)...)
	ctx, cancel := context.WithCancel(e.ctx)
	cancel()
	var last error
	for _, err := range e.Feed.Read(ctx, topic, 0, offsets[0], offsets[4]+1) {
		last = err
	}
	require.Error(e, last)
}

func readFormerTopic(e *env) {
	topic := e.open()
	offsets := e.publish(topic, placed(0, 5, 10)...)
	e.Recreate(e)
	e.publish(e.open(), placed(0, 9, 10)...)
	found, err := e.read(topic, 0, offsets[0], offsets[4]+1)
	require.ErrorIs(e, err, bus.ErrTopicChanged)
	require.Empty(e, found, "no record of the new topic is taken for one of the old")
}

func readRemoved(e *env) {
	topic := e.open()
	offsets := e.publish(topic, placed(0, 10, 10)...)
	e.Trim(e, 0, offsets[6])
	require.GreaterOrEqual(e, e.bounds(topic)[0].First, offsets[6])
	_, err := e.read(topic, 0, offsets[0], offsets[9]+1)
	require.Error(e, err, "records of the range are gone")
}

func readBeyond(e *env) {
	topic := e.open()
	offsets := e.publish(topic, placed(0, 3, 10)...)
	found, err := e.read(topic, 0, offsets[0], offsets[2]+5)
	require.Error(e, err, "the end of the range is not there, and not awaited")
	require.LessOrEqual(e, len(found), 3)
}

func readSkipped(e *env) {
	topic := e.open()
	before, after := placed(0, 3, 10), placed(0, 3, 10)
	first := e.publish(topic, before...)
	e.SkipOffsets(e, 0)
	second := e.publish(topic, after...)
	require.Greater(e, second[0], first[2]+1, "offsets were skipped")
	e.SkipOffsets(e, 0)
	require.Equal(e, append(ids(0, before), ids(0, after)...), idsOf(e.contents(topic)[0]),
		"neither the hole nor an end without records is in the way")
	found, err := e.read(topic, 0, first[2]+1, second[0])
	require.NoError(e, err)
	require.Empty(e, found, "a range may hold nothing")
}
