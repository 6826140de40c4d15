package e2e_test

import (
	"context"
	"iter"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"passbook/engine/kafka"
	"passbook/es/bus"
	"passbook/es/event"
	"passbook/es/verify"
)

// remade is a feed whose topic is deleted and made again while it is read, so
// many times.
type remade struct {
	*kafka.Bus
	t     *testing.T
	w     *whole
	times int
}

func (f *remade) Read(ctx context.Context, topic bus.Topic, partition int32, from, end int64) iter.Seq2[bus.Record, error] {
	if f.times > 0 && partition == 0 { // once an attempt
		f.times--
		_, err := kadm.NewClient(f.w.client).DeleteTopic(ctx, f.w.topic)
		require.NoError(f.t, err)
		_, err = f.Open(ctx)
		require.NoError(f.t, err)
	}
	return f.Bus.Read(ctx, topic, partition, from, end)
}

// relined is a read model whose line is swapped so many times.
type relined struct {
	verify.Model
	looks, times int
}

type relinedView struct {
	verify.View
	line string
}

func (v relinedView) Line(context.Context) (string, error) { return v.line, nil }

func (m *relined) View(ctx context.Context, fn func(verify.View) error) error {
	m.looks++
	line := "b"
	if m.looks == 1 && m.times > 0 {
		line = "a"
		m.times--
		m.looks = -2 // the next attempt begins after two more looks
	}
	return m.Model.View(ctx, func(v verify.View) error { return fn(relinedView{v, line}) })
}

func TestVerify_TopicReplacedMeanwhile(t *testing.T) {
	t.Parallel()
	g := newGround(t)
	for _, c := range []struct{ times, attempts int }{{0, 1}, {1, 2}, {4, 5}, {5, 0}} {
		w := newWhole(t, g, rand.New(rand.NewPCG(1, uint64(c.times))), shape{events: 60})
		r, err := w.tryVerify(t.Context(), &remade{Bus: w.bus(t, w.topic), t: t, w: w, times: c.times})
		if c.attempts == 0 {
			require.ErrorIs(t, err, verify.ErrMoving)
			continue
		}
		require.NoError(t, err)
		require.Equal(t, c.attempts, r.Attempts)
		require.Empty(t, r.Differences, lines(r))
		if c.times > 0 {
			require.Equal(t, int64(60), r.RelayLag, "all of it is to be published again")
		}
	}
}

func TestVerify_LineReplacedMeanwhile(t *testing.T) {
	t.Parallel()
	w := newWhole(t, newGround(t), rand.New(rand.NewPCG(1, 2)), shape{events: 60})
	for _, c := range []struct{ times, attempts int }{{0, 1}, {1, 2}} {
		feed := w.bus(t, w.topic)
		r, err := w.tryVerifyAs(t.Context(), feed, func(m verify.Model) verify.Model { return &relined{Model: m, times: c.times} })
		require.NoError(t, err)
		require.Equal(t, c.attempts, r.Attempts)
		require.Empty(t, r.Differences, lines(r))
		require.Equal(t, "b", r.Line)
	}
}

// Records that somebody deleted at the beginning of the topic: their events are
// missing there, and that it begins late is told.
func TestVerify_TopicTruncated(t *testing.T) {
	t.Parallel()
	g := newGround(t)
	w := newWhole(t, g, rand.New(rand.NewPCG(5, 5)), shape{events: 100})
	records := w.feed(t)
	gone := records[2][:3]
	offsets := make(kadm.Offsets)
	offsets.AddOffset(w.topic, 2, 3, -1)
	_, err := kadm.NewClient(g.client).DeleteRecords(t.Context(), offsets)
	require.NoError(t, err)
	r := w.verify(t)
	require.Len(t, r.Differences, 3, lines(r))
	for i, d := range r.Differences {
		e, _ := header(gone[i], "ce_id")
		require.Equal(t, verify.Missing, d.Kind)
		require.Equal(t, e, d.EventID)
	}
	require.Contains(t, lines(r), "note: truncated: partition 2 starts at offset 3: records were deleted there, and 0 of their events come behind later ones")

	// Published again, behind the others: late, and there.
	w2 := w.copy(t)
	records[2] = append([]*kgo.Record{gone[0]}, append(records[2][3:], gone...)...) // the first takes the offset that is deleted then
	w2.publish(t, records)
	offsets = make(kadm.Offsets)
	offsets.AddOffset(w2.topic, 2, 1, -1)
	_, err = kadm.NewClient(g.client).DeleteRecords(t.Context(), offsets)
	require.NoError(t, err)
	r = w2.verify(t)
	require.Empty(t, r.Differences, lines(r))
	require.Contains(t, lines(r), "note: truncated: partition 2 starts at offset 1: records were deleted there, and 3 of their events come behind later ones")
}

// Of many differences so many are kept, and all are counted.
func TestVerify_ManyDifferences(t *testing.T) {
	t.Parallel()
	w := newWhole(t, newGround(t), rand.New(rand.NewPCG(6, 6)), shape{events: 150})
	alter(t, w.read(), "UPDATE account_entry SET reference = 'x'")
	store, err := w.tryVerifyWith(t.Context(), w.bus(t, w.topic), nil, verify.Config{Topic: w.topic, DifferencesMax: 10})
	require.NoError(t, err)
	require.Equal(t, int64(150), store.Found)
	require.Len(t, store.Differences, 10)
	require.False(t, store.Agree())
	for _, d := range store.Differences {
		require.NotEqual(t, event.NoVersion, d.Version)
	}
}
