// Package memory implements the toolkit's contracts in memory, for tests and
// examples: exact, simple, and gone with the process. What comes in through a
// contract goes out through the same contract; nothing is read or written
// anywhere else.
package memory
