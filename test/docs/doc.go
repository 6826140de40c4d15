// Package docs runs what the guides tell a reader to run and compares what the
// guides say comes out. It holds tests only.
package docs
