package postgres

// WaitForSweep returns when no sweep runs in the background.
func (s *Store) WaitForSweep() { s.sweeper.wg.Wait() }
