package mongodb

import "time"

// Pause is how long the next Turn will take.
func (s *EventStore) Pause() time.Duration { return s.yield.pause() }
