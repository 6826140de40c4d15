package bench

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Prefix begins the name of every folder, database, topic and consumer group
// that a bench makes, so that people know what it was if it could not be removed.
const Prefix = "passbook_bench_"

// cleanup is how long removing may take, once ctx has ended too.
const cleanup = 30 * time.Second

// workspace is what a bench makes, and how to remove it again.
type workspace struct {
	folder string
	name   string
	undo   []func(context.Context) error
	labels map[string]int
}

func newWorkspace(parent string) (*workspace, error) {
	name := Prefix + strings.ToLower(rand.Text()[:12])
	if err := os.MkdirAll(parent, 0o700); err != nil {
		return nil, fmt.Errorf("make the bench's folder: %w", err)
	}
	folder, err := filepath.Abs(filepath.Join(parent, name))
	if err != nil {
		return nil, fmt.Errorf("make the bench's folder: %w", err)
	}
	if err := os.Mkdir(folder, 0o700); err != nil {
		return nil, fmt.Errorf("make the bench's folder: %w", err)
	}
	w := &workspace{folder: folder, name: name, labels: make(map[string]int)}
	w.defers(func(context.Context) error { return os.RemoveAll(folder) })
	return w, nil
}

// defers adds something to be done when the bench is over, before what was added
// earlier.
func (w *workspace) defers(undo func(context.Context) error) { w.undo = append(w.undo, undo) }

// called returns a name for something new: of the bench, and by a label.
func (w *workspace) called(label string) string {
	w.labels[label]++
	return fmt.Sprintf("%s_%s%d", w.name, label, w.labels[label])
}

// path returns that of a new file or folder.
func (w *workspace) path(label string) string {
	w.labels[label]++
	return filepath.Join(w.folder, fmt.Sprintf("%s%d", label, w.labels[label]))
}

// close removes everything, in reverse, whatever fails meanwhile.
func (w *workspace) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), cleanup)
	defer cancel()
	var faults []error
	for _, undo := range slices.Backward(w.undo) {
		faults = append(faults, undo(ctx))
	}
	if err := errors.Join(faults...); err != nil {
		return fmt.Errorf("remove what begins with %s: %w", w.name, err)
	}
	return nil
}
