package load

import (
	"fmt"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// latencyMax is the longest time that is told apart; what took longer counts as
// long as this.
const latencyMax = 10 * time.Minute

// stripes is how many histograms workers share: one for each would be as large
// as the processor's cache, one for all would have them wait for each other.
const stripes = 8

// Latency is how long operations took, to three digits, in microseconds. Safe
// for concurrent use.
type Latency struct{ parts [stripes]stripe }

type stripe struct {
	mu    sync.Mutex
	times *hdrhistogram.Histogram
	_     [64]byte // the next one's lock lies in another line of the cache
}

// NewLatency returns one without operations.
func NewLatency() *Latency {
	l := new(Latency)
	for i := range l.parts {
		l.parts[i].times = hdrhistogram.New(1, latencyMax.Microseconds(), 3)
	}
	return l
}

// Record adds an operation of a worker.
func (l *Latency) Record(worker int, took time.Duration) {
	l.add(worker, min(max(took, time.Microsecond), latencyMax).Microseconds(), 1)
}

func (l *Latency) add(worker int, micros, count int64) {
	part := &l.parts[worker%stripes]
	part.mu.Lock()
	defer part.mu.Unlock()
	_ = part.times.RecordValues(micros, count) // it is within the histogram's range
}

// Merge adds the operations of another.
func (l *Latency) Merge(other *Latency) {
	from := other.whole()
	part := &l.parts[0]
	part.mu.Lock()
	defer part.mu.Unlock()
	part.times.Merge(from)
}

// whole returns all of it in one histogram.
func (l *Latency) whole() *hdrhistogram.Histogram {
	sum := hdrhistogram.New(1, latencyMax.Microseconds(), 3)
	for i := range l.parts {
		part := &l.parts[i]
		part.mu.Lock()
		sum.Merge(part.times)
		part.mu.Unlock()
	}
	return sum
}

// Summary is what is told of a Latency.
type Summary struct {
	Count               int64
	P50, P99, P999, Max time.Duration
}

// Summary returns counts and percentiles. All are 0 without operations.
func (l *Latency) Summary() Summary {
	whole := l.whole()
	at := func(percentile float64) time.Duration {
		return time.Duration(whole.ValueAtPercentile(percentile)) * time.Microsecond
	}
	return Summary{
		Count: whole.TotalCount(), P50: at(50), P99: at(99), P999: at(99.9),
		Max: time.Duration(whole.Max()) * time.Microsecond,
	}
}

// MarshalBinary writes it for another process.
func (l *Latency) MarshalBinary() ([]byte, error) {
	data, err := l.whole().EncodeV2()
	if err != nil {
		return nil, fmt.Errorf("write latencies: %w", err)
	}
	return data, nil
}

// UnmarshalBinary reads what MarshalBinary wrote.
func (l *Latency) UnmarshalBinary(data []byte) error {
	whole, err := hdrhistogram.Decode(data)
	if err != nil {
		return fmt.Errorf("read latencies: %w", err)
	}
	read := NewLatency()
	if dropped := read.parts[0].times.Merge(whole); dropped > 0 {
		return fmt.Errorf("read latencies: %d are out of range", dropped)
	}
	for i := range l.parts {
		l.parts[i].times = read.parts[i].times
	}
	return nil
}
