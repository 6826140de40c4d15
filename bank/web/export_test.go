package web

import "reflect"

// BreakListener closes the listener behind the server's back.
func (s *Server) BreakListener() error { return s.listener.Close() }

// HasShortForm tells whether an operation with such an input and output takes the
// short way.
func HasShortForm[I, O any]() bool {
	_, ok := shortFormOf(reflect.TypeFor[I](), reflect.TypeFor[O]())
	return ok
}
