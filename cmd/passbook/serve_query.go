package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"

	"passbook/bank/queryapi"
	"passbook/bank/readmodel"
	"passbook/es/checkpoint"
	"passbook/es/event"
	"passbook/es/projection"
)

// consumer is the group in which the instances of the read model share the
// feed's partitions. The Java original's has the same name.
const consumer = "bankaccConsumer"

// addQuery adds the read model and the query API.
func (p *process) addQuery(ctx context.Context) error {
	d := p.newDoor(p.probes.query)
	if err := p.listen(ctx, "query", "PASSBOOK_QUERY_ADDR (--query-addr)", p.server(p.settings.query, d)); err != nil {
		return err
	}
	return p.addService(ctx, &service{
		engine: "read-db", variable: "PASSBOOK_READ_DB", flag: "read-db",
		at: p.settings.readDB, probes: p.probes.query, open: p.openQuery,
	}, d)
}

// openQuery opens the read database and puts together what stands on it.
func (p *process) openQuery(ctx context.Context, a *assembly) error {
	store, err := openReadDB(ctx, p.settings.readDB)
	if err != nil {
		return err
	}
	a.closers = append(a.closers, store)
	reader, err := readmodel.NewReader(store.DB(), store.dialect)
	if err != nil {
		return err //nolint:wrapcheck // the setting is named
	}
	a.ping = reader.Ping
	commits := new(readmodel.Commits)
	projected, err := p.addProjection(a, store, reader, commits)
	if err != nil {
		return err
	}
	setAside := func(ctx context.Context, after int64, limit int) ([]int64, error) {
		return store.SetAside(ctx, consumer, after, limit)
	}
	if p.head > 0 {
		build := &firstBuild{head: p.head, reached: func(ctx context.Context, after int64) (int64, error) {
			return reader.ReachedPosition(ctx, after, setAside)
		}}
		a.ready = append(a.ready, readiness{"first-build", build.check})
	}
	api, err := queryapi.New(queryapi.Config{
		Accounts: reader, Versions: projected, Commits: commits,
		SetAside: setAside, Version: programVersion(), Admit: p.gate.Admit,
		Probes: p.ofAPI(p.probes.query), Metrics: p.metrics, Logger: p.log,
	})
	if err != nil {
		return fmt.Errorf("query API: %w", err)
	}
	p.addConsumer(api, projected)
	a.api = api
	return nil
}

// addProjection adds the way from the broker to the read database.
func (p *process) addProjection(
	a *assembly, store readDB, reader *readmodel.Reader, commits *readmodel.Commits,
) (*projection.Projection[*sql.Tx], error) {
	instance, err := p.folder.instance()
	if err != nil {
		return nil, err
	}
	feed, err := p.bus(a, instance)
	if err != nil {
		return nil, err
	}
	model, err := readmodel.NewModel(store.dialect, readmodel.LiveTables())
	if err != nil {
		return nil, fmt.Errorf("read model: %w", err)
	}
	projected, err := projection.New(consumer, commits.Watch(store), model, projection.Config{
		Subscriber: feed, Logger: p.log,
		Visible: func(ctx context.Context, id string) (int64, error) {
			account, err := reader.FindAccountByID(ctx, id)
			if errors.Is(err, readmodel.ErrNotFound) {
				return event.NoVersion, nil
			}
			return account.Version, err //nolint:wrapcheck // it is what a query would say
		},
	})
	if err != nil {
		return nil, fmt.Errorf("read model: %w", err)
	}
	a.add("read model", projected.Run)
	a.figures = append(a.figures, consumerFigures(consumer, projected.Status))
	start := &catchUp{status: projected.Status, saved: func(ctx context.Context) (progress []checkpoint.Progress, err error) {
		err = store.View(ctx, func(tx *sql.Tx) error {
			progress, err = store.Checkpoints(ctx, tx, consumer)
			return err //nolint:wrapcheck // it is wrapped below
		})
		return progress, err //nolint:wrapcheck // the check's name stands before it
	}}
	a.ready = append(a.ready, readiness{"read-model", start.check})
	return projected, p.addBuilder(a, store, instance)
}

// catchUp is the readiness of a read model: what was in the feed when this
// process was given its partitions is in the read database, and nothing is in
// the way. That it lags behind what comes later is no reason to send queries
// elsewhere, and neither is a broker that cannot be reached.
type catchUp struct {
	status func() projection.Status
	saved  func(context.Context) ([]checkpoint.Progress, error)

	mu     sync.Mutex
	target map[int32]int64 // the end of each partition when it was first seen
}

func (c *catchUp) check(ctx context.Context) error {
	partitions := c.status().Partitions
	if len(partitions) == 0 {
		return c.checkSaved(ctx)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.target == nil {
		c.target = make(map[int32]int64)
	}
	reasons := []error{standing(c.status())}
	for _, partition := range partitions {
		target, seen := c.target[partition.Partition]
		if !seen {
			target = partition.End
			c.target[partition.Partition] = target
		}
		if partition.Err == nil && partition.Next < min(target, partition.End) {
			reasons = append(reasons, fmt.Errorf("partition %d: %d records behind", partition.Partition, target-partition.Next))
		}
	}
	return errors.Join(reasons...)
}

// standing tells which partitions of a consumer stand still, and why.
func standing(status projection.Status) error {
	var reasons []error
	for _, partition := range status.Partitions {
		if partition.Err != nil {
			reasons = append(reasons, fmt.Errorf("partition %d: %w", partition.Partition, partition.Err))
		}
	}
	return errors.Join(reasons...)
}

// checkSaved judges an instance without partitions: others have them, or the
// broker has not been reached yet. What they, or an earlier run, have saved can
// be queried.
func (c *catchUp) checkSaved(ctx context.Context) error {
	saved, err := c.saved(ctx)
	if err == nil && len(saved) == 0 {
		err = errors.New("nothing has been read from the feed yet")
	}
	return err
}
