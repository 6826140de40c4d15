package load

import "time"

// Outcome is what came of a load.
type Outcome struct {
	// Done counts what was done: operations, or what an operation is made of.
	Done int64
	// Elapsed is from the first operation's beginning to the last one's end.
	Elapsed time.Duration
	// Latency is nil where operations were not timed one by one.
	Latency *Latency
}

// PerSecond is the rate; 0 where no time went by.
func (o Outcome) PerSecond() float64 {
	if o.Elapsed <= 0 {
		return 0
	}
	return float64(o.Done) / o.Elapsed.Seconds()
}

// Then returns both outcomes as one, the other after this one.
func (o Outcome) Then(other Outcome) Outcome {
	sum := Outcome{Done: o.Done + other.Done, Elapsed: o.Elapsed + other.Elapsed}
	if o.Latency != nil || other.Latency != nil {
		sum.Latency = NewLatency()
		for _, each := range []*Latency{o.Latency, other.Latency} {
			if each != nil {
				sum.Latency.Merge(each)
			}
		}
	}
	return sum
}
