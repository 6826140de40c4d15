package eventstore

import "sync/atomic"

// Stats counts what the append pipeline has done since the store was opened.
type Stats struct {
	// Commits became durable; Groups is how many writes that took, tries that
	// failed included; Failures is how many of those.
	Commits, Groups, Failures int64
	// Waiting is how many commits are queued at the moment.
	Waiting int
	// Position is the last durable position that this process knows of.
	Position int64
}

type counters struct{ commits, groups, failures atomic.Int64 }

// Stats returns the counts of the moment. Safe for concurrent use.
func (s *Store) Stats() Stats {
	return Stats{
		Commits:  s.stats.commits.Load(),
		Groups:   s.stats.groups.Load(),
		Failures: s.stats.failures.Load(),
		Waiting:  s.queue.length(),
		Position: s.head.get(),
	}
}
