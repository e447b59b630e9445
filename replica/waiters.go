package replica

// WithdrawWaiting is Withdraw for an operation that still waits for room. One
// that has room already, in the queue for the stream, stays: a caller that has its answer
// from others withdraws what waits for a node past its bound, so that the waiters
// stay bounded by the callers that block on them.
func (c *Conn) WithdrawWaiting(op *Op) bool {
	if c.waiting.Load() == 0 {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if op.conn != c || op.place != waiting {
		return false
	}
	ln := op.lane
	c.takeOut(op)
	ln.admit()
	c.settle()
	return true
}
