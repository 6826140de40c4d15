package mongodb_test

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/mongo/readconcern"
	"go.mongodb.org/mongo-driver/v2/mongo/writeconcern"

	"passbook/es/event"
	"passbook/es/eventstore"
)

const benchCallers = 256

// BenchmarkEventStore_Append has 256 callers, each with a stream of its own, wait
// for one commit after the other. BenchmarkBareInsert writes documents like its
// own, in groups as large, into a collection with the same indexes. Run both
// together:
//
//	go test -run xxx -bench 'Append|BareInsert' -benchtime 50000x ./engine/mongodb
func BenchmarkEventStore_Append(b *testing.B) {
	engine := newRoom(b).open(b)
	quiet := slog.New(slog.DiscardHandler)
	store, err := eventstore.New(b.Context(), engine, eventstore.Config{Logger: quiet})
	require.NoError(b, err)
	ctx, stop := context.WithCancel(b.Context())
	ran := make(chan error, 1)
	go func() { ran <- store.Run(ctx) }()
	b.ResetTimer()
	var callers sync.WaitGroup
	for i := range benchCallers {
		callers.Go(func() {
			stream, expected := event.NewID(), event.NoVersion
			for range (b.N + benchCallers - 1 - i) / benchCallers {
				if _, err := store.Append(context.Background(), commit(stream, expected, 1)); err != nil {
					b.Error(err)
					return
				}
				expected++
			}
		})
	}
	callers.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
	b.ReportMetric(float64(b.N)/float64(max(store.Stats().Groups, 1)), "events/group")
	b.StopTimer()
	stop()
	require.NoError(b, <-ran)
}

// BenchmarkBareInsert is the yardstick: the driver alone, one ordered insertMany
// after the other, group-sized.
func BenchmarkBareInsert(b *testing.B) {
	for _, size := range []int{128, 256} {
		b.Run(strconv.Itoa(size), func(b *testing.B) {
			r := newRoom(b)
			sample := r.open(b)
			mustAppend(b, sample, 1, opening("sample", 1))
			journaled := true
			events := r.bare(b).Collection("eventStore", options.Collection().
				SetWriteConcern(&writeconcern.WriteConcern{W: "majority", Journal: &journaled}).
				SetReadConcern(readconcern.Majority()))
			var like bson.D
			require.NoError(b, events.FindOne(b.Context(), bson.D{}).Decode(&like))
			position := int64(1)
			b.ResetTimer()
			for done := 0; done < b.N; done += size {
				_, err := events.InsertMany(b.Context(), bareDocuments(like, &position, min(size, b.N-done)))
				require.NoError(b, err)
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
		})
	}
}

// bareDocuments are copies of a document at the next positions.
func bareDocuments(like bson.D, position *int64, n int) []any {
	documents := make([]any, n)
	for i := range documents {
		*position++
		d := append(bson.D{}, like...)
		for j := range d {
			switch d[j].Key {
			case "_id":
				d[j].Value = *position
			case "aggregateIdentifier":
				d[j].Value = fmt.Sprintf("5f0c2f5e-7c4f-4a53-9b3a-%012d", *position%benchCallers)
			case "version":
				d[j].Value = *position / benchCallers
			case "eventId":
				d[j].Value = event.NewID()
			}
		}
		documents[i] = d
	}
	return documents
}

// BenchmarkEventStore_ReadAll reads pages of 1000 events.
func BenchmarkEventStore_ReadAll(b *testing.B) {
	store := newRoom(b).open(b)
	for i := range int64(20) {
		mustAppend(b, store, 500*i+1, commit("a", 500*i-1, 500))
	}
	read := 0
	for b.Loop() {
		page, err := store.ReadAll(b.Context(), int64(read%10000), 1000)
		require.NoError(b, err)
		read += len(page)
	}
	b.ReportMetric(float64(read)/b.Elapsed().Seconds(), "events/s")
}
