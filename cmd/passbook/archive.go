package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"passbook/engine/sqlite"
)

// storeFlags say where the event store is, as they do for serve.
type storeFlags struct {
	Data       string `default:"./passbook-data" env:"PASSBOOK_DATA" help:"Folder of the embedded engines." placeholder:"FOLDER"`
	EventStore string `default:"sqlite" env:"PASSBOOK_EVENT_STORE" help:"Event store: sqlite or sqlite:PATH." placeholder:"ENGINE"`
}

func (f *storeFlags) path() (string, error) {
	path, err := parseSQLite(f.EventStore, filepath.Clean(f.Data), "events.db")
	return path, refuse("PASSBOOK_EVENT_STORE", "event-store", err)
}

// openToRead opens the event store beside whoever serves it.
func (f *storeFlags) openToRead(ctx context.Context) (*sqlite.EventStore, error) {
	path, err := f.path()
	if err != nil {
		return nil, err
	}
	store, err := sqlite.OpenEventStoreReadOnly(ctx, path)
	return store, refuse("PASSBOOK_EVENT_STORE", "event-store", err)
}

// derivedFlags say where that is which is built from the events, as they do for
// serve.
type derivedFlags struct {
	ReadDB string `default:"sqlite" env:"PASSBOOK_READ_DB" help:"Read database, which is built from the events." name:"read-db" placeholder:"ENGINE"`
	Broker string `default:"embedded" env:"PASSBOOK_BROKER" help:"Broker, whose topic is filled from the events." placeholder:"BROKER"`
	Topic  string `default:"account-events" env:"PASSBOOK_TOPIC" help:"Topic of the feed." placeholder:"NAME"`
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
	if location, err := parseBroker(d.Broker); err != nil || !location.embedded {
		todo = append(todo, fmt.Sprintf("the topic %s of %s holds the old history: give PASSBOOK_TOPIC a new name before the next start", d.Topic, d.Broker))
	}
	inFolder := f.file("readmodel.db")
	if path, err := parseSQLite(d.ReadDB, f.path, "readmodel.db"); err != nil || path != inFolder {
		todo = append(todo, fmt.Sprintf("the read model in %s is of the old history: have it built again with passbook restore after the next start", withoutPassword(d.ReadDB)))
	}
	return todo
}

// withoutPassword returns a URL without the user's part.
func withoutPassword(url string) string {
	scheme, rest, ok := strings.Cut(url, "://")
	if at := strings.LastIndex(rest, "@"); ok && at >= 0 {
		return scheme + "://" + rest[at+1:]
	}
	return url
}
