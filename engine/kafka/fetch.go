package kafka

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"passbook/es/bus"
)

var (
	// errGone: what lies at the offset is no longer there, or no longer what
	// it was.
	errGone = errors.New("offset is gone")
	// errMoved: another broker is to be asked, or this one later.
	errMoved = errors.New("partition cannot be read at this broker now")
	// errOtherTopic: the broker does not know the topic's id, or not yet.
	errOtherTopic = errors.New("broker does not know the topic's id")
)

// versionWithIDs is that of the first Fetch request in which topics are named
// by id, of Kafka 3.1.
const versionWithIDs = 13

// position is from where a partition is to be read.
type position struct {
	partition int32
	offset    int64
	// epoch is that of the leader that wrote what lies before the offset, or
	// of a later one that knew it; -1 if that is not known. With it brokers
	// notice that the log ended before the offset in between.
	epoch int32
}

// haul is what one request brought of one partition.
type haul struct {
	records []bus.Record // from the offset that was asked for
	next    position     // where to go on; records may skip offsets
	end     int64        // end offset
	err     error        // errGone, errMoved, errOtherTopic or a fault of the data
}

// request is one Fetch request to one broker for partitions of one topic.
type request struct {
	topic     bus.Topic
	broker    int32
	positions []position
	wait      time.Duration // for the first byte, where there is none
	bytesMax  int32         // for each partition; a single batch may be larger
}

// fetch returns the hauls in the order of the positions, or an error if the
// broker gave no answer. With idsKnown false the broker is an old one that
// goes by the topic's name: then the topic is to be checked before the records
// are believed.
func fetch(ctx context.Context, client *kgo.Client, r request) (hauls []haul, idsKnown bool, err error) {
	id, err := parseTopicID(r.topic.ID)
	if err != nil {
		return nil, false, err
	}
	answer, err := client.Broker(int(r.broker)).Request(ctx, r.message(id))
	if err != nil {
		return nil, false, fmt.Errorf("fetch from broker %d: %w", r.broker, err)
	}
	response, ok := answer.(*kmsg.FetchResponse)
	if !ok {
		return nil, false, fmt.Errorf("fetch from broker %d: answer is a %T", r.broker, answer)
	}
	if err := kerr.ErrorForCode(response.ErrorCode); err != nil {
		return nil, false, fmt.Errorf("fetch from broker %d: %w", r.broker, err)
	}
	told := make(map[int32]*kmsg.FetchResponseTopicPartition)
	for i := range response.Topics {
		for j := range response.Topics[i].Partitions {
			p := &response.Topics[i].Partitions[j]
			told[p.Partition] = p
		}
	}
	hauls = make([]haul, len(r.positions))
	for i, at := range r.positions {
		if p, ok := told[at.partition]; ok {
			hauls[i] = unpack(r.topic.Name, at, p)
		} else {
			hauls[i] = haul{next: at, err: errMoved}
		}
	}
	return hauls, response.Version >= versionWithIDs, nil
}

func (r request) message(id topicID) *kmsg.FetchRequest {
	of := kmsg.NewFetchRequestTopic()
	of.Topic, of.TopicID = r.topic.Name, id
	for _, at := range r.positions {
		p := kmsg.NewFetchRequestTopicPartition()
		p.Partition, p.FetchOffset, p.LastFetchedEpoch = at.partition, at.offset, at.epoch
		p.PartitionMaxBytes = r.bytesMax
		of.Partitions = append(of.Partitions, p)
	}
	m := kmsg.NewPtrFetchRequest()
	m.MaxWaitMillis = int32(r.wait.Milliseconds()) //nolint:gosec // below a second
	m.MinBytes = 1
	m.MaxBytes = 50 << 20
	m.SessionEpoch = -1 // each request names all it wants
	m.Topics = append(m.Topics, of)
	return m
}

func unpack(topic string, at position, p *kmsg.FetchResponseTopicPartition) haul {
	h := haul{next: at, end: p.HighWatermark}
	switch err := kerr.ErrorForCode(p.ErrorCode); {
	case errors.Is(err, kerr.OffsetOutOfRange):
		h.err = errGone
	case err == nil && p.DivergingEpoch.EndOffset >= 0:
		h.err = fmt.Errorf("%w: the log ends at %d in leader epoch %d", errGone, p.DivergingEpoch.EndOffset, p.DivergingEpoch.Epoch)
	case errors.Is(err, kerr.UnknownTopicID), errors.Is(err, kerr.InconsistentTopicID), errors.Is(err, kerr.UnknownTopicOrPartition):
		h.err = fmt.Errorf("%w: %w", errOtherTopic, err)
	case kerr.IsRetriable(err):
		h.err = fmt.Errorf("%w: %w", errMoved, err)
	case err != nil:
		h.err = err
	}
	if h.err != nil {
		return h
	}
	options := kgo.ProcessFetchPartitionOpts{Topic: topic, Partition: at.partition, Offset: at.offset}
	found, next := kgo.ProcessFetchPartition(options, p, kgo.DefaultDecompressor(), nil)
	h.next.offset, h.err = next, found.Err
	h.records = make([]bus.Record, len(found.Records))
	for i, r := range found.Records {
		h.records[i] = message(r)
		h.next.epoch = max(h.next.epoch, r.LeaderEpoch)
	}
	return h
}

func message(record *kgo.Record) bus.Record {
	r := bus.Record{
		Message: bus.Message{
			Key:     string(record.Key),
			Value:   record.Value,
			Headers: make([]bus.Header, len(record.Headers)),
			Time:    record.Timestamp.UTC(),
		},
		Partition: record.Partition,
		Offset:    record.Offset,
	}
	for i, h := range record.Headers {
		r.Headers[i] = bus.Header{Key: h.Key, Value: string(h.Value)}
	}
	return r
}
