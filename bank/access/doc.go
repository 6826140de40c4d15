// Package access decides who may call the bank's APIs, and how often. Requests
// come in before their bodies are read, by web.Config.Admit; a principal in the
// request's context goes out, or a refusal.
//
// There are two ways to run a service. With a file of API keys, every operation
// that has a scope takes a key that holds it. Without one, everybody who can
// reach the address is one client without a name; that such an address is a
// loopback one is for the program to see to.
//
//	scope.go    what a key may be good for
//	key.go      making a key, and the line that is kept of it
//	keys.go     the lines of a file
//	file.go     a file of keys that is read again when it changes
//	gate.go     Admit
//	limiter.go  requests per second, for each client
package access
