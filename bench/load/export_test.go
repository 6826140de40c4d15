package load

// Age makes a connection one that was not used for long.
func Age(c *Connection) { c.used = c.used.Add(-2 * idleMax) }
