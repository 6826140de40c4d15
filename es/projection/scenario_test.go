package projection_test

import (
	"database/sql"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"passbook/engine/memory"
	"passbook/engine/sqlite"
	"passbook/es/projection"
	"passbook/es/projection/projectiontest"
)

type (
	memTx       = *memory.ProjectionTx
	memScenario = func(projectiontest.T, projectiontest.Database[memTx])
	sqlScenario = func(projectiontest.T, projectiontest.Database[*sql.Tx])
)

func openMemory() projectiontest.Database[memTx] {
	store := memory.NewProjectionStore()
	return projectiontest.Database[memTx]{
		Open: func(projectiontest.T) projection.Store[memTx] { return store },
		Rows: projectiontest.KeyValueRows[memTx]{},
	}
}

func openSQLite(t projectiontest.T) projectiontest.Database[*sql.Tx] {
	store, err := sqlite.OpenProjectionStore(t.Context(), filepath.Join(t.TempDir(), "readmodel.db"), sqlite.Rebuildable)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	require.NoError(t, projectiontest.SQLRows{}.Create(t.Context(), store.DB()))
	return projectiontest.Database[*sql.Tx]{
		Open: func(projectiontest.T) projection.Store[*sql.Tx] { return store },
		Rows: projectiontest.SQLRows{},
	}
}

// onBoth plays a scenario in memory and on SQLite.
func onBoth(t *testing.T, inMemory memScenario, onSQLite sqlScenario) {
	t.Parallel()
	t.Run("memory", func(t *testing.T) { inMemory(t, openMemory()) })
	t.Run("sqlite", func(t *testing.T) { onSQLite(t, openSQLite(t)) })
}

func TestPausedConsumer(t *testing.T) {
	onBoth(t, projectiontest.PausedConsumer[memTx], projectiontest.PausedConsumer[*sql.Tx])
}

func TestGapParksAndHeals(t *testing.T) {
	onBoth(t, projectiontest.GapParksAndHeals[memTx], projectiontest.GapParksAndHeals[*sql.Tx])
}

func TestDifferenceIsNotADuplicate(t *testing.T) {
	onBoth(t, projectiontest.DifferenceIsNotADuplicate[memTx], projectiontest.DifferenceIsNotADuplicate[*sql.Tx])
}

func TestUnapplicableParksOneStream(t *testing.T) {
	onBoth(t, projectiontest.UnapplicableParksOneStream[memTx], projectiontest.UnapplicableParksOneStream[*sql.Tx])
}

func TestLongQueueDrains(t *testing.T) {
	onBoth(t, projectiontest.LongQueueDrains[memTx], projectiontest.LongQueueDrains[*sql.Tx])
}

func TestRedeliveryFromTheBeginning(t *testing.T) {
	onBoth(t, projectiontest.RedeliveryFromTheBeginning[memTx], projectiontest.RedeliveryFromTheBeginning[*sql.Tx])
}

func TestTopicMadeAgain(t *testing.T) {
	onBoth(t, projectiontest.TopicMadeAgain[memTx], projectiontest.TopicMadeAgain[*sql.Tx])
}

func TestLostTailUnderConsumer(t *testing.T) {
	onBoth(t, projectiontest.LostTailUnderConsumer[memTx], projectiontest.LostTailUnderConsumer[*sql.Tx])
}

func TestUnknownCommit(t *testing.T) {
	onBoth(t, projectiontest.UnknownCommit[memTx], projectiontest.UnknownCommit[*sql.Tx])
}

func TestEngineErrorRetriesBatch(t *testing.T) {
	onBoth(t, projectiontest.EngineErrorRetriesBatch[memTx], projectiontest.EngineErrorRetriesBatch[*sql.Tx])
}

func TestFeedTruncated(t *testing.T) {
	onBoth(t, projectiontest.FeedTruncated[memTx], projectiontest.FeedTruncated[*sql.Tx])
}

func TestOtherHistory(t *testing.T) {
	onBoth(t, projectiontest.OtherHistory[memTx], projectiontest.OtherHistory[*sql.Tx])
}
