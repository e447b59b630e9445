package redis

// LookAgain has the next call ask whether the server evicts, as it does after a minute.
func (s *Store) LookAgain() { s.eviction.due.Store(1) }
