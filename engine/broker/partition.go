package broker

import (
	"cmp"
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// partition is the folder of one partition. It holds segments (NNN.dat, named after their first offset), for each an
// index (NNN.idx, which kfake makes fit by itself), and snapshot.json.
type partition struct {
	dir  string
	gaps bool // compaction leaves gaps between offsets; in any other topic a gap means lost records
	log  *slog.Logger
}

// snapshot is kfake's summary of a partition. With one that fits the segments it loads them one by one; without, it
// holds all records of the partition in memory at once.
type snapshot struct {
	Version          int           `json:"version"`
	HighWatermark    int64         `json:"high_watermark"`
	LastStableOffset int64         `json:"last_stable_offset"`
	LogStartOffset   int64         `json:"log_start_offset"`
	Epoch            int32         `json:"epoch"`
	Segments         []segmentSize `json:"segments"`
}

type segmentSize struct {
	BaseOffset int64 `json:"base_offset"`
	Size       int64 `json:"size"`
}

const snapshotVersion = 1

// repair leaves the longest sound beginning of the partition: it cuts at the first batch that is not whole or not the
// successor of the one before.
func (p *partition) repair() error {
	all, err := p.segments()
	if err != nil {
		return err
	}
	sound := 0
	for sound < len(all) && (sound == 0 || p.follows(all[sound-1], all[sound])) {
		if err := all[sound].scan(p.gaps); err != nil {
			return err
		}
		if all[sound].size == 0 {
			break
		}
		sound++
		if all[sound-1].torn {
			break
		}
	}
	if err := p.cut(all[:sound], all[sound:]); err != nil {
		return err
	}
	return p.summarize(all[:sound])
}

func (p *partition) segments() ([]*segment, error) {
	entries, err := os.ReadDir(p.dir)
	if err != nil {
		return nil, err
	}
	var all []*segment
	for _, entry := range entries {
		name, isSegment := strings.CutSuffix(entry.Name(), ".dat")
		if !isSegment {
			continue
		}
		base, err := strconv.ParseInt(name, 10, 64)
		if err != nil {
			continue // kfake does not read it either
		}
		all = append(all, &segment{path: filepath.Join(p.dir, entry.Name()), base: base})
	}
	slices.SortFunc(all, func(a, b *segment) int { return cmp.Compare(a.base, b.base) })
	return all, nil
}

func (p *partition) follows(before, s *segment) bool {
	return s.base == before.next || p.gaps && s.base > before.next
}

// cut removes what comes behind the sound batches: the rest of the last sound segment, and whole segments.
func (p *partition) cut(sound, rest []*segment) error {
	torn := len(sound) > 0 && sound[len(sound)-1].torn
	lost := torn
	if torn {
		last := sound[len(sound)-1]
		if err := os.Truncate(last.path, last.size); err != nil {
			return err
		}
	}
	for _, s := range rest {
		info, err := os.Stat(s.path)
		if err != nil {
			return err
		}
		lost = lost || info.Size() > 0
		index := strings.TrimSuffix(s.path, ".dat") + ".idx"
		if err := errors.Join(os.Remove(s.path), removeIfThere(index)); err != nil {
			return err
		}
	}
	if lost {
		next := int64(0)
		if len(sound) > 0 {
			next = sound[len(sound)-1].next
		}
		p.log.Warn("broker cut a damaged end off a partition", "partition", filepath.Base(p.dir), "next_offset", next)
	}
	return nil
}

// summarize replaces a snapshot that does not fit the segments. Transactions need kfake's own full reading, which finds out
// which of them were aborted.
func (p *partition) summarize(segments []*segment) error {
	path := filepath.Join(p.dir, "snapshot.json")
	want := snapshot{Version: snapshotVersion}
	for _, s := range segments {
		want.Segments = append(want.Segments, segmentSize{s.base, s.size})
	}
	raw, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	var have snapshot
	if json.Unmarshal(raw, &have) == nil && slices.Equal(have.Segments, want.Segments) {
		return nil
	}
	transactional := slices.ContainsFunc(segments, func(s *segment) bool { return s.inTxn })
	if len(segments) == 0 || transactional {
		return removeIfThere(path)
	}
	last := segments[len(segments)-1]
	want.HighWatermark, want.LastStableOffset, want.Epoch = last.next, last.next, last.epoch
	want.LogStartOffset = segments[0].base
	if raw, err = json.Marshal(want); err != nil {
		return err
	}
	return os.WriteFile(path, raw, 0o600)
}

func removeIfThere(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
