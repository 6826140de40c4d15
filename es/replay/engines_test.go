package replay_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"passbook/engine/broker"
	"passbook/engine/kafka"
	"passbook/engine/sqlite"
	"passbook/es/projection"
	"passbook/es/projection/projectiontest"
	"passbook/es/replay"
)

// sqlRows are rows in a table of a database.
type sqlRows struct{ table string }

func (r sqlRows) create(ctx context.Context, tx interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
},
) error {
	_, err := tx.ExecContext(ctx, fmt.Sprintf(`CREATE TABLE %s (k TEXT PRIMARY KEY, v TEXT NOT NULL)`, r.table))
	return err
}

func (r sqlRows) Get(ctx context.Context, tx *sql.Tx, key string) (text string, err error) {
	err = tx.QueryRowContext(ctx, fmt.Sprintf(`SELECT v FROM %s WHERE k = ?`, r.table), key).Scan(&text)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return text, err
}

func (r sqlRows) Swap(ctx context.Context, tx *sql.Tx, key, old, text string) (bool, error) {
	statement, args := fmt.Sprintf(`UPDATE %s SET v = ? WHERE k = ? AND v = ?`, r.table), []any{text, key, old}
	if old == "" {
		statement, args = fmt.Sprintf(`INSERT INTO %s (v, k) VALUES (?, ?)`, r.table), []any{text, key}
	}
	result, err := tx.ExecContext(ctx, statement, args...)
	if err != nil {
		return false, err
	}
	n, err := result.RowsAffected()
	return n == 1, err
}

// engines are the embedded ones, with all that runs on them.
type engines struct {
	*world
	bus  *kafka.Bus
	read *sqlite.ProjectionStore
	log  *replay.Log
}

// background runs something until the test ends, or the returned function ends it.
func background(t *testing.T, run func(context.Context) error) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		require.NoError(t, <-ended)
	})
	t.Cleanup(stop)
	return stop
}

func newEngines(t *testing.T) *engines {
	t.Helper()
	b, err := broker.New(broker.Config{Addr: "127.0.0.1:0", Dir: t.TempDir(), Logger: quiet})
	require.NoError(t, err)
	background(t, b.Run)
	e := &engines{world: newWorld(t)}
	e.bus, err = kafka.New(kafka.Config{Brokers: []string{b.Addr()}, Topic: feedName, Partitions: partitions, Logger: quiet})
	require.NoError(t, err)
	t.Cleanup(e.bus.Close)
	_, err = e.bus.Open(t.Context())
	require.NoError(t, err)
	e.read, err = sqlite.OpenProjectionStore(t.Context(), filepath.Join(t.TempDir(), "read.db"), sqlite.Rebuildable)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, e.read.Close()) })
	require.NoError(t, sqlRows{table}.create(t.Context(), e.read.DB()))
	e.log = replay.NewLog(e.bus, feedName, replay.LogConfig{Logger: quiet})
	return e
}

func (e *engines) builder() *replay.Builder[*sql.Tx] {
	e.Helper()
	b, err := replay.NewBuilder(e.log, e.bus, replay.BuilderConfig[*sql.Tx]{
		Consumer: consumer, Lines: e.read, Tables: []string{table},
		Create: func(ctx context.Context, tx *sql.Tx, next map[string]string) error {
			return sqlRows{next[table]}.create(ctx, tx)
		},
		Model: func(next map[string]string) (projection.Model[*sql.Tx], error) {
			return projectiontest.Tally[*sql.Tx]{Rows: sqlRows{next[table]}}, nil
		},
		Leases: e.read.Leases(), RunMax: 20, Patience: patience, Logger: quiet,
	})
	require.NoError(e, err)
	return b
}

func (e *engines) rows() map[string]string {
	e.Helper()
	all := make(map[string]string)
	found, err := e.read.DB().QueryContext(e.Context(), `SELECT k, v FROM `+table)
	require.NoError(e, err)
	defer func() { require.NoError(e, found.Close()) }()
	for found.Next() {
		var k, v string
		require.NoError(e, found.Scan(&k, &v))
		all[k] = v
	}
	require.NoError(e, found.Err())
	return all
}

// TestEngines restores on the embedded engines while events keep coming, the
// projection consumes them as a member of its group, and queries are answered.
func TestEngines(t *testing.T) {
	t.Parallel()
	e := newEngines(t)
	topic, err := e.bus.Open(t.Context())
	require.NoError(t, err)
	producer, err := e.bus.Producer(t.Context(), topic)
	require.NoError(t, err)
	defer producer.Close()
	live, err := projection.New[*sql.Tx](consumer, e.read, projectiontest.Tally[*sql.Tx]{Rows: sqlRows{table}},
		projection.Config{Subscriber: e.bus, Logger: quiet})
	require.NoError(t, err)
	background(t, live.Run)
	publisher := replay.NewPublisher(e.store, e.bus, feedName, e.checkpoints, e.log, replay.PublisherConfig{Logger: quiet})
	background(t, publisher.Run)
	background(t, e.builder().Run)

	e.commit(20, streams(10)...)
	e.relayTo(producer)
	for _, stream := range streams(10) {
		_, err := live.Await(t.Context(), stream, 19)
		require.NoError(t, err)
	}
	_, err = e.read.DB().ExecContext(t.Context(), `DELETE FROM `+table+` WHERE k IN ('s00', 's01')`)
	require.NoError(t, err)
	_, err = e.read.DB().ExecContext(t.Context(), `UPDATE `+table+` SET v = replace(v, '"Sum":', '"Sum":9') WHERE k = 's02'`)
	require.NoError(t, err)
	require.NotEqual(t, e.expected(), e.rows())

	var asked replay.Restore
	require.Eventually(t, func() bool {
		asked, err = e.log.Request(t.Context(), "")
		return err == nil
	}, patience, tick)
	for state := replay.StateRunning; state != replay.StateDone; {
		e.commit(1, "s03", "s04", "s05")
		e.relayTo(producer)
		version, err := e.store.StreamVersion(t.Context(), "s05")
		require.NoError(t, err)
		_, err = live.Await(t.Context(), "s05", version) // so that the load is one that can be borne
		require.NoError(t, err)
		require.GreaterOrEqual(t, len(e.rows()), 8, "one line or the other, never a part")
		r, err := e.log.Find(t.Context(), asked.ID)
		require.NoError(t, err)
		require.NotEqual(t, replay.StateFailed, r.State, r.Error)
		state = r.State
	}
	version, err := e.store.StreamVersion(t.Context(), "s05")
	require.NoError(t, err)
	_, err = live.Await(t.Context(), "s05", version)
	require.NoError(t, err)
	require.Eventually(t, func() bool { return fmt.Sprint(e.expected()) == fmt.Sprint(e.rows()) }, patience, 10*tick)
	require.Eventually(t, func() bool {
		left, err := e.bus.List(t.Context(), feedName+"-replay-")
		return err == nil && len(left) == 0
	}, patience, 10*tick)
	require.Zero(t, live.Status().Counts.Rewinds)
}
