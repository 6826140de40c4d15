package e2e_test

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"passbook/es/event"
	"passbook/es/verify"
	"passbook/internal/testenv"
)

// mutateFeed changes the records of one partition, at a record of it, and
// publishes them all to a new topic.
func mutateFeed(
	change func(t *testing.T, rng *rand.Rand, records []*kgo.Record, i int) (changed []*kgo.Record, m mutation),
) mutate {
	return func(t *testing.T, rng *rand.Rand, w *whole) mutation {
		t.Helper()
		all := w.feed(t)
		p := rng.IntN(len(all))
		for len(all[p]) < 3 {
			p = (p + 1) % len(all)
		}
		changed, m := change(t, rng, slices.Clone(all[p]), rng.IntN(len(all[p])))
		all[p] = changed
		w.publish(t, all)
		return m
	}
}

// altered copies a record and changes the copy.
func altered(r *kgo.Record, change func(r *kgo.Record)) *kgo.Record {
	other := &kgo.Record{
		Key: slices.Clone(r.Key), Value: slices.Clone(r.Value), Headers: slices.Clone(r.Headers), Timestamp: r.Timestamp,
	}
	change(other)
	return other
}

func setHeader(key, value string) func(*kgo.Record) {
	return func(r *kgo.Record) {
		for i, h := range r.Headers {
			if h.Key == key {
				r.Headers[i].Value = []byte(value)
			}
		}
	}
}

// oneRecord changes one record in its place.
func oneRecord(kind verify.Kind, others []verify.Kind, most int64, text string, change func(rng *rand.Rand, e event.Envelope) func(*kgo.Record)) mutate {
	return mutateFeed(func(t *testing.T, rng *rand.Rand, records []*kgo.Record, i int) ([]*kgo.Record, mutation) {
		t.Helper()
		e := testenv.Decode(t, records[i])
		records[i] = altered(records[i], change(rng, e))
		return records, ofEvent(e, verify.InFeed, most, "%s of offset %d", text, i).as(kind, others...)
	})
}

// spoilt and unlike are what comes of a record that is no event any more, and of
// one that is another event: its own is missing then, and checkpoints may have
// stood behind it.
var (
	spoilt = []verify.Kind{verify.Foreign, verify.Moved}
	unlike = []verify.Kind{verify.Missing, verify.Altered, verify.Invented, verify.Misplaced, verify.Moved}
)

func feedMutations() map[string]mutate {
	return map[string]mutate{
		"record missing": mutateFeed(func(t *testing.T, _ *rand.Rand, records []*kgo.Record, i int) ([]*kgo.Record, mutation) {
			t.Helper()
			e := testenv.Decode(t, records[i])
			// That of the last record costs the two checkpoints behind it their record.
			return slices.Delete(records, i, i+1), ofEvent(e, verify.InFeed, 3, "offset %d", i).as(verify.Missing, verify.Moved)
		}),
		"record doubled with another payload": mutateFeed(func(t *testing.T, rng *rand.Rand, records []*kgo.Record, i int) ([]*kgo.Record, mutation) {
			t.Helper()
			e := testenv.Decode(t, records[i])
			double := altered(records[i], func(r *kgo.Record) { r.Value = []byte(`{"reason":"x"}`) })
			at := i + rng.IntN(len(records)-i) + 1
			return slices.Insert(records, at, double), ofEvent(e, verify.InFeed, 3, "offset %d again at %d", i, at)
		}),
		"records reordered": mutateFeed(func(t *testing.T, rng *rand.Rand, records []*kgo.Record, i int) ([]*kgo.Record, mutation) {
			t.Helper()
			if i+1 == len(records) {
				i--
			}
			j := min(i+1+rng.IntN(5), len(records)-1)
			e := testenv.Decode(t, records[i])
			records[i], records[j] = records[j], records[i]
			return records, ofEvent(e, verify.InFeed, int64(j-i)+2, "offsets %d and %d", i, j).as(verify.Reordered)
		}),
		"record foreign": mutateFeed(func(_ *testing.T, rng *rand.Rand, records []*kgo.Record, i int) ([]*kgo.Record, mutation) {
			other := &kgo.Record{Key: []byte("somebody"), Value: []byte("hello"), Timestamp: time.UnixMilli(rng.Int64N(1e12))}
			return slices.Insert(records, i, other),
				ofEvent(event.Envelope{Stream: "somebody", Version: event.NoVersion}, verify.InFeed, 1, "at offset %d", i).as(verify.Foreign)
		}),
		"record invented": mutateFeed(func(t *testing.T, _ *rand.Rand, records []*kgo.Record, i int) ([]*kgo.Record, mutation) {
			t.Helper()
			e := testenv.Decode(t, records[i])
			e.Version = 1_000_000
			other := altered(records[i], func(r *kgo.Record) {
				setHeader("ce_id", event.NewID())(r)
				setHeader("ce_version", "1000000")(r)
				setHeader("ce_position", "1000000")(r)
			})
			return slices.Insert(records, i, other), ofEvent(e, verify.InFeed, 1, "before offset %d", i).as(verify.Invented)
		}),
		"payload of a record": oneRecord(verify.Altered, nil, 1, "payload", func(rng *rand.Rand, _ event.Envelope) func(*kgo.Record) {
			return func(r *kgo.Record) { r.Value[rng.IntN(len(r.Value))] ^= 1 }
		}),
		"time of a record": oneRecord(verify.Altered, nil, 1, "time", func(*rand.Rand, event.Envelope) func(*kgo.Record) {
			return func(r *kgo.Record) { r.Timestamp = r.Timestamp.Add(time.Millisecond) }
		}),
		// Its own event is missing then, and a checkpoint may stand behind it.
		"key of a record": oneRecord(verify.Missing, spoilt, 4, "key", func(*rand.Rand, event.Envelope) func(*kgo.Record) {
			return func(r *kgo.Record) { r.Key = append(r.Key, 'x') }
		}),
		"stream of a record": oneRecord("", unlike, 4, "stream", func(*rand.Rand, event.Envelope) func(*kgo.Record) {
			return func(r *kgo.Record) {
				r.Key = append(r.Key, 'x')
				setHeader("ce_subject", string(r.Key))(r)
			}
		}),
		"history of a record": oneRecord(verify.Missing, []verify.Kind{verify.OtherHistory, verify.Moved}, 4, "history", func(*rand.Rand, event.Envelope) func(*kgo.Record) {
			return setHeader("ce_source", "/passbook/"+event.NewID())
		}),
		"id of a record": oneRecord(verify.Altered, []verify.Kind{verify.Moved}, 3, "id", func(*rand.Rand, event.Envelope) func(*kgo.Record) {
			return setHeader("ce_id", event.NewID())
		}),
		"position of a record": oneRecord(verify.Altered, []verify.Kind{verify.Moved}, 3, "position", func(rng *rand.Rand, _ event.Envelope) func(*kgo.Record) {
			return setHeader("ce_position", []string{"10000001", "20000002", "9999999"}[rng.IntN(3)])
		}),
		"position of another event": mutateFeed(func(t *testing.T, rng *rand.Rand, records []*kgo.Record, i int) ([]*kgo.Record, mutation) {
			t.Helper()
			e, other := testenv.Decode(t, records[i]), testenv.Decode(t, records[rng.IntN(len(records))])
			if other.Position == e.Position {
				other.Position += 1_000_000
			}
			records[i] = altered(records[i], setHeader("ce_position", strconv.FormatInt(other.Position, 10)))
			return records, ofEvent(e, verify.InFeed, 3, "%d at offset %d", other.Position, i).as(verify.Altered, verify.Moved)
		}),
		"header that every event has": oneRecord(verify.Missing, spoilt, 4, "header", func(rng *rand.Rand, _ event.Envelope) func(*kgo.Record) {
			return setHeader([]string{"ce_specversion", "ce_type", "ce_id", "ce_time"}[rng.IntN(4)], "")
		}),
		"header of a record": oneRecord(verify.Altered, nil, 1, "header", func(rng *rand.Rand, e event.Envelope) func(*kgo.Record) {
			changes := []func(*kgo.Record){
				setHeader("ce_version", "77"),
				setHeader("ce_time", e.Time.Add(time.Microsecond).Format(time.RFC3339Nano)),
				setHeader("ce_type", "passbook.account.closed.v2"),
				setHeader("ce_correlationid", "x"),
				setHeader("content-type", "text/plain"),
				func(r *kgo.Record) { r.Headers = slices.Delete(r.Headers, 0, 1) },
				func(r *kgo.Record) {
					r.Headers = append(r.Headers, kgo.RecordHeader{Key: "ce_imported", Value: []byte("true")})
				},
				func(r *kgo.Record) { r.Headers = append(r.Headers, r.Headers[3]) },
			}
			return changes[rng.IntN(len(changes))]
		}),
	}
}
