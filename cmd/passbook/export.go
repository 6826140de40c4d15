package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"passbook/es/archive"
)

type exportCommand struct {
	storeFlags `embed:""`

	File  string `arg:"" default:"-" help:"File to write; - is standard output." optional:""`
	Force bool   `help:"Overwrite the file if there is one."`
}

// Run writes the whole event store, as of one moment, beside whoever serves it.
func (c *exportCommand) Run(ctx context.Context, out output) (err error) {
	limitIsAnError()
	store, err := c.openToRead(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	if c.File == "-" {
		summary, err := exportTo(ctx, store, out.stdout, out.stderr)
		if err != nil {
			return err
		}
		_, _ = fmt.Fprintf(out.stderr, "exported: %s\n", counts(summary)) // whoever closed standard error does not want to be told
		return nil
	}
	file, err := createFile(c.File, c.Force)
	if errors.Is(err, errFileExists) {
		return fmt.Errorf("FILE: %w, or overwrite it with --force", err)
	}
	if err != nil {
		return fmt.Errorf("FILE: %w", err)
	}
	defer func() { err = errors.Join(err, file.discard()) }()
	summary, err := exportTo(ctx, store, file, out.stderr)
	if err != nil {
		return err
	}
	if err := file.commit(); err != nil {
		return fmt.Errorf("FILE: %w", err)
	}
	_, err = fmt.Fprintf(out.stdout, "exported to %s: %s\n", c.File, counts(summary))
	return err //nolint:wrapcheck // standard output tells enough
}

func exportTo(ctx context.Context, store eventEngine, to, progressTo io.Writer) (archive.Summary, error) {
	bar := newProgress(progressTo, "export")
	defer bar.close()
	summary, err := archive.Export(ctx, store, to, archive.ExportConfig{
		Program: programVersion(), Now: time.Now(), Progress: bar.set,
	})
	if err != nil {
		return archive.Summary{}, fmt.Errorf("export: %w", err)
	}
	return summary, nil
}

func counts(s archive.Summary) string {
	return fmt.Sprintf("%s events, %s idempotency keys, history %s", grouped(s.Events), grouped(s.Keys), s.History)
}
