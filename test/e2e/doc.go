// Package e2e runs the program as people run it, and looks at it from outside.
// It holds tests only.
package e2e
