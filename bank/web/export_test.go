package web

// BreakListener closes the listener behind the server's back.
func (s *Server) BreakListener() error { return s.listener.Close() }
