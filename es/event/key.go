package event

// Actor is the authenticated principal behind a command; empty without
// authentication.
type Actor string

// Key is an idempotency key. The same key of two clients is two keys.
type Key struct {
	// Client is who chose the key: the authenticated principal, or empty where
	// there is no authentication and so only one client.
	Client string
	// Value is the client's own text. A Key with an empty Value is no key.
	Value string
}

// IsZero tells that no key was given.
func (k Key) IsZero() bool { return k.Value == "" }
