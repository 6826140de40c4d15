package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// openToRead opens the event store beside whoever serves it.
func (f *storeFlags) openToRead(ctx context.Context) (eventEngine, error) {
	at, err := f.location()
	if err != nil {
		return nil, err
	}
	store, err := openEventStoreReadOnly(ctx, at)
	return store, refuse("PASSBOOK_EVENT_STORE", "event-store", err)
}

// derivedFlags say where that is which is built from the events.
type derivedFlags struct {
	readDBFlag  `embed:""`
	brokerFlags `embed:""`
	topicFlag   `embed:""`
}

// removeDerived removes from the data folder what was built from the history
// that the store is about to leave: the embedded broker's records and the read
// model. The next start builds both again, from whichever history the store has
// then, so nothing is lost if it comes to nothing.
func removeDerived(f *folder) error {
	readModel, err := filepath.Glob(escapeGlob(f.file("readmodel.db")) + "*")
	if err != nil {
		return fmt.Errorf("remove the read model: %w", err)
	}
	var faults []error
	for _, path := range readModel {
		if !strings.HasSuffix(path, ".lock") { // who holds a lock holds the file of that name
			faults = append(faults, os.RemoveAll(path))
		}
	}
	faults = append(faults, os.RemoveAll(f.file("broker")))
	return errors.Join(faults...)
}

func escapeGlob(path string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}

// elsewhere tells what a person has to see to, a line each: what was built from
// the old history and does not lie in the data folder.
func (d *derivedFlags) elsewhere(f *folder) (todo []string) {
	if at, err := parseBroker(d.Broker); err != nil || !at.embedded {
		todo = append(todo, fmt.Sprintf("the topic %s of %s holds the old history: give PASSBOOK_TOPIC a new name before the next start", d.Topic, d.Broker))
	}
	inFolder := f.file("readmodel.db")
	if at, err := d.readDBFlag.location(f.path); err != nil || at.path != inFolder {
		todo = append(todo, fmt.Sprintf("the read model in %s is of the old history: have it built again with passbook restore after the next start", withoutPassword(d.ReadDB)))
	}
	return todo
}
