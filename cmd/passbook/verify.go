package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"slices"

	"passbook/bank/readmodel"
	"passbook/engine/kafka"
	"passbook/es/verify"
)

// verifyCommand compares what serve keeps. Its settings of engines are those of
// serve, by the same names.
type verifyCommand struct {
	storeFlags  `embed:""`
	readDBFlag  `embed:""`
	brokerFlags `embed:""`
	topicFlag   `embed:""`

	Limit int  `default:"1000" help:"How many differences, and how many notes, are printed; all are counted." placeholder:"N"`
	JSON  bool `help:"Print one JSON object." name:"json"`
}

// Run compares event store, feed and read model, and prints what it finds. It
// writes to none of them, and needs no running passbook.
func (c *verifyCommand) Run(ctx context.Context, out output) error {
	v, err := c.open(ctx)
	if err != nil {
		return errors.Join(err, v.close())
	}
	bar := newProgress(out.stderr, "verify")
	report, err := verify.Run(ctx, v.system, verify.Config{Topic: c.Topic, DifferencesMax: c.Limit, Progress: bar.set})
	bar.close()
	if err := errors.Join(err, v.close()); err != nil {
		return fmt.Errorf("could not compare: %w", err)
	}
	if err := c.print(out.stdout, report); err != nil {
		return err
	}
	if !report.Agree() {
		return exitError(exitNo)
	}
	return nil
}

// verification is what is compared, and what has to be closed afterwards.
type verification struct {
	system  verify.System
	closers []func() error
}

func (v *verification) close() error {
	var errs []error
	for _, closing := range slices.Backward(v.closers) {
		errs = append(errs, closing())
	}
	return errors.Join(errs...)
}

// open opens everything for reading. What was opened is to be closed, also after
// an error.
func (c *verifyCommand) open(ctx context.Context) (*verification, error) {
	v := &verification{}
	data := filepath.Clean(c.Data)
	events, errStore := c.storeFlags.location()
	read, errRead := c.readDBFlag.location(data)
	broker, errBroker := c.brokerFlags.location()
	var errLimit error
	if c.Limit < 1 {
		errLimit = fmt.Errorf("--limit: %d is out of range: want 1 or more", c.Limit)
	}
	if err := errors.Join(errStore, errRead, errBroker, errLimit); err != nil {
		return v, err
	}
	if err := v.openStore(ctx, events); err != nil {
		return v, refuse("PASSBOOK_EVENT_STORE", "event-store", err)
	}
	if err := v.openReadModel(ctx, read); err != nil {
		return v, refuse("PASSBOOK_READ_DB", "read-db", err)
	}
	return v, refuse("PASSBOOK_BROKER", "broker", v.openFeed(ctx, data, broker, c.Topic))
}

func (v *verification) openStore(ctx context.Context, at location) error {
	store, err := openEventStoreReadOnly(ctx, at)
	if err != nil {
		return err
	}
	v.closers = append(v.closers, store.Close)
	v.system.Store = store
	v.system.Relay, err = checkpointsIn(ctx, store)
	return err
}

func (v *verification) openReadModel(ctx context.Context, at location) error {
	side, err := openReadDBReadOnly(ctx, at)
	if err != nil {
		return err
	}
	v.closers = append(v.closers, side.close)
	v.system.Model, err = readmodel.NewVerification(side.Side, side.dialect, consumer)
	return err //nolint:wrapcheck // the setting is named
}

// openFeed connects to the broker; to a copy of the embedded one if that does
// not run.
func (v *verification) openFeed(ctx context.Context, data string, at brokerLocation, topic string) error {
	if at.embedded {
		stand, err := standIn(ctx, data)
		if err != nil {
			return err
		}
		if stand != nil {
			v.closers = append(v.closers, stand.close)
			at.addrs = []string{stand.addr}
		}
	}
	bus, err := kafka.New(at.config(topic, slog.New(slog.DiscardHandler)))
	if err != nil {
		return err //nolint:wrapcheck // the setting is named
	}
	v.closers = append(v.closers, func() error { bus.Close(); return nil })
	v.system.Feed = bus
	// A broker that is not there is found before anything is compared, where the
	// setting can be named.
	_, err = bus.Find(ctx, topic)
	return err //nolint:wrapcheck // as above
}

func (c *verifyCommand) print(out io.Writer, r *verify.Report) error {
	if c.JSON {
		encoder := json.NewEncoder(out)
		encoder.SetEscapeHTML(false)
		return encoder.Encode(struct { //nolint:wrapcheck // standard output is gone: there is nothing to add
			Agree bool `json:"agree"`
			*verify.Report
		}{r.Agree(), r})
	}
	var lines []string
	for _, d := range r.Differences {
		lines = append(lines, d.String())
	}
	if more := r.Found - int64(len(r.Differences)); more > 0 {
		lines = append(lines, fmt.Sprintf("and %s more, which --limit leaves out", grouped(more)))
	}
	for _, n := range r.Notes {
		lines = append(lines, n.String())
	}
	lines = append(lines, fmt.Sprintf("compared %s events with %s records, %s accounts and %s entries; %s repeats, %s parked, %s discarded, relay %s and read model %s behind",
		grouped(r.Events), grouped(r.Records), grouped(r.Rows), grouped(r.Entries),
		grouped(r.Repeats), grouped(r.Parked), grouped(r.Discarded), grouped(r.RelayLag), grouped(r.ReadModelLag)))
	if r.Agree() {
		lines = append(lines, "event store, feed and read model agree")
	} else {
		lines = append(lines, fmt.Sprintf("%s differences", grouped(r.Found)))
	}
	for _, line := range lines {
		if _, err := fmt.Fprintln(out, line); err != nil {
			return err //nolint:wrapcheck // standard output is gone: there is nothing to add
		}
	}
	return nil
}
