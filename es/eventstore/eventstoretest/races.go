package eventstoretest

import (
	"errors"
	"fmt"
	"math"
	"runtime"
	"strconv"

	"github.com/stretchr/testify/require"

	"passbook/es/event"
	"passbook/es/eventstore"
)

func raceCases() []Case {
	return []Case{
		{Name: "readers never see a gap", run: readersSeeNoGap},
		{Name: "readers never see half a commit", run: readersSeeWholeCommits},
		{Name: "what was read stays", run: whatWasReadStays},
		{Name: "head can be read up to", run: headIsReadable},
		{Name: "streams grow without a gap", run: streamsGrow},
		{Name: "key comes with its events", run: keyComesWithEvents},
		{Name: "snapshots beside appends", run: snapshotsBesideAppends},
		{Name: "several writers", shares: true, run: severalWriters},
	}
}

const rounds = 40

// beside calls watch again and again while it writes groups of two to four
// commits, of three events at most, to the streams "0", "1" and "2". After
// every group watch runs at least once from its start to its end.
func (s *scene) beside(watch func() error) {
	s.Helper()
	turns, done, gone := make(chan struct{}), make(chan struct{}), make(chan struct{})
	var fault error
	go func() {
		defer close(gone)
		for fault == nil {
			fault = watch()
			select {
			case turns <- struct{}{}:
			case <-done:
				return
			default:
				runtime.Gosched() // let the writer come to its next group
			}
		}
	}()
	defer func() {
		close(done)
		<-gone
		require.NoError(s, fault, "a reader beside the writer")
	}()
	versions := []int64{-1, -1, -1}
	for round := range rounds {
		s.write(racingGroup(round, versions)...)
		for range 2 { // the first turn may have begun before the group was written
			select {
			case <-turns:
			case <-gone:
				return
			}
		}
	}
}

func racingGroup(round int, versions []int64) []eventstore.Commit {
	var group []eventstore.Commit
	for i := range 2 + round%3 {
		stream := (round + i) % len(versions)
		c := commit(strconv.Itoa(stream), versions[stream], 1+(round+i)%3)
		for j := range c.Events {
			c.Events[j].Metadata.CausationID = strconv.Itoa(len(c.Events) - 1 - j) // events of the commit still to come
		}
		versions[stream] += int64(len(c.Events))
		group = append(group, keyed(c, "race", c.Events[len(c.Events)-1].ID))
	}
	return group
}

func readersSeeNoGap(s *scene) {
	var seen int64
	s.beside(func() error {
		page, err := s.engine.ReadAll(s.ctx, seen, 5)
		for _, e := range page {
			if seen++; e.Position != seen {
				return fmt.Errorf("position %d stood behind %d", e.Position, seen-1)
			}
		}
		return err
	})
}

func readersSeeWholeCommits(s *scene) {
	s.beside(func() error {
		page, err := s.engine.ReadAll(s.ctx, 0, math.MaxInt32)
		if err == nil && len(page) > 0 && page[len(page)-1].Metadata.CausationID != "0" {
			err = fmt.Errorf("the store ended within a commit, at position %d", len(page))
		}
		if err != nil {
			return err
		}
		stream, err := s.engine.ReadStream(s.ctx, "1", 0, math.MaxInt32)
		if err == nil && len(stream) > 0 && stream[len(stream)-1].Metadata.CausationID != "0" {
			err = fmt.Errorf("the stream ended within a commit, at version %d", len(stream)-1)
		}
		return err
	})
}

func whatWasReadStays(s *scene) {
	seen := make(map[int64]string)
	s.beside(func() error {
		page, err := s.engine.ReadAll(s.ctx, 0, math.MaxInt32)
		if err == nil && len(page) < len(seen) {
			err = fmt.Errorf("%d events are there, %d were", len(page), len(seen))
		}
		for _, e := range page {
			if before, ok := seen[e.Position]; ok && before != e.ID {
				err = fmt.Errorf("position %d has event %s, and had %s", e.Position, e.ID, before)
			}
			seen[e.Position] = e.ID
		}
		return err
	})
}

func headIsReadable(s *scene) {
	s.beside(func() error {
		head, err := s.engine.Head(s.ctx)
		if err != nil || head == 0 {
			return err
		}
		page, err := s.engine.ReadAll(s.ctx, head-1, 1)
		switch {
		case err != nil:
			return err
		case len(page) != 1 || page[0].Position != head:
			return fmt.Errorf("head %d is not there: %+v", head, page)
		case page[0].Metadata.CausationID != "0":
			return fmt.Errorf("head %d is within a commit", head)
		}
		return nil
	})
}

func streamsGrow(s *scene) {
	s.beside(func() error {
		for stream := range 3 {
			version, err := s.engine.StreamVersion(s.ctx, strconv.Itoa(stream))
			if err != nil {
				return err
			}
			page, err := s.engine.ReadStream(s.ctx, strconv.Itoa(stream), 0, math.MaxInt32)
			if err != nil {
				return err
			}
			if int64(len(page)) <= version {
				return fmt.Errorf("stream %d is at version %d, and has %d events", stream, version, len(page))
			}
			for i, e := range page {
				if e.Version != int64(i) {
					return fmt.Errorf("stream %d has version %d in place of %d", stream, e.Version, i)
				}
			}
		}
		return nil
	})
}

func keyComesWithEvents(s *scene) {
	var after int64
	s.beside(func() error {
		page, err := s.engine.ReadAll(s.ctx, after, 100)
		for _, e := range page {
			after = e.Position
			if e.Metadata.CausationID != "0" {
				continue
			}
			record, err := s.engine.FindKey(s.ctx, event.Key{Client: "race", Value: e.ID})
			if err != nil {
				return fmt.Errorf("position %d is there, its key: %w", e.Position, err)
			}
			if record.Position != e.Position || record.Stream != e.Stream || record.Version != e.Version {
				return fmt.Errorf("the key of %+v finds %+v", e, record)
			}
		}
		return err
	})
}

func snapshotsBesideAppends(s *scene) {
	var version int64
	s.beside(func() error {
		version++
		if err := s.engine.SaveSnapshot(s.ctx, eventstore.Snapshot{Stream: "0", Version: version, EventID: "x"}); err != nil {
			return err
		}
		snapshot, err := s.engine.LoadSnapshot(s.ctx, "0")
		if err == nil && snapshot.Version != version {
			err = fmt.Errorf("snapshot of version %d in place of %d", snapshot.Version, version)
		}
		return err
	})
}

// severalWriters has processes that know nothing of each other append to the
// same place at the same moment. Each commit that one of them was told is
// written is there, once, as it was decided.
func severalWriters(s *scene) {
	engines := make([]eventstore.Engine, 3)
	for i := range engines {
		engines[i], _ = s.another(s.open)
	}
	var written []eventstore.Commit
	events := 0
	for round := range rounds {
		group := make([]eventstore.Commit, len(engines))
		for i := range group {
			stream := strconv.Itoa((round + i) % 2) // two of the three write to one stream
			group[i] = commit(stream, s.version(stream), 1+(round+i)%3)
		}
		for i, outcome := range s.appendAtOnce(engines, group) {
			if outcome.State == eventstore.Written {
				written = append(written, group[i])
				events += len(group[i].Events)
			}
		}
	}
	require.NotEmpty(s, written)
	for _, c := range written {
		requireSameEvents(s, c)
	}
	require.Equal(s, int64(events), s.head(), "more is there than anybody wrote")
}

// appendAtOnce has each engine append a commit of its own at the head of the
// moment. An engine may say that it could not write.
func (s *scene) appendAtOnce(engines []eventstore.Engine, group []eventstore.Commit) []eventstore.Outcome {
	s.Helper()
	first := s.head() + 1
	outcomes := make([]eventstore.Outcome, len(group))
	errs := make(chan error, len(group))
	for i, engine := range engines {
		go func() {
			one, err := engine.Append(s.ctx, first, group[i:i+1])
			if err == nil {
				outcomes[i] = one[0]
			}
			errs <- err
		}()
	}
	for range group {
		if err := <-errs; !errors.Is(err, eventstore.ErrNotWritten) {
			require.NoError(s, err)
		}
	}
	return outcomes
}
