package broker

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
)

// topicList is what kfake's topics.json says that matters here.
type topicList struct {
	Topics []struct {
		Name       string            `json:"name"`
		Partitions int               `json:"partitions"`
		Configs    map[string]string `json:"configs"`
	} `json:"topics"`
}

// repair makes the data such that kfake loads it right, or returns why that cannot be. kfake by itself recovers from a
// torn end of a partition's last file, but it does not notice records missing in the middle, and takes the
// files of a topic that it has no record of for those of the next topic with that name.
func (f *folder) repair() error {
	dirs, err := os.ReadDir(filepath.Join(f.data(), "partitions"))
	if errors.Is(err, fs.ErrNotExist) {
		return f.repairJournals()
	}
	if err != nil {
		return err
	}
	// Without meta.json kfake would take the folder for a new one and write an empty topics.json.
	if _, err := os.Stat(filepath.Join(f.data(), "meta.json")); err != nil {
		return err
	}
	compacted, err := f.partitions()
	if err != nil {
		return err
	}
	for _, dir := range dirs {
		path := filepath.Join(f.data(), "partitions", dir.Name())
		gaps, known := compacted[dir.Name()]
		if !known {
			// A crash came between a topic's deletion and that of its files.
			f.log.Info("broker removes files of a topic that does not exist", "path", path)
			if err := os.RemoveAll(path); err != nil {
				return err
			}
			continue
		}
		if err := (&partition{dir: path, gaps: gaps, log: f.log}).repair(); err != nil {
			return err
		}
	}
	return f.repairJournals()
}

// partitions names the folders of all partitions, and tells of each whether it belongs to a compacted topic.
func (f *folder) partitions() (map[string]bool, error) {
	raw, err := os.ReadFile(filepath.Join(f.data(), "topics.json"))
	if err != nil {
		return nil, err
	}
	var list topicList
	if err := json.Unmarshal(raw, &list); err != nil {
		return nil, fmt.Errorf("topics.json: %w", err)
	}
	dirs := make(map[string]bool)
	for _, topic := range list.Topics {
		for n := range topic.Partitions {
			dirs[fmt.Sprintf("%s-%d", url.PathEscape(topic.Name), n)] = strings.Contains(topic.Configs["cleanup.policy"], "compact")
		}
	}
	return dirs, nil
}

func (f *folder) repairJournals() error {
	return errors.Join(
		cutJournal(filepath.Join(f.data(), "groups.log")),
		cutJournal(filepath.Join(f.data(), "pids.log")),
	)
}
