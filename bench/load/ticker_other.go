//go:build !linux

package load

import "time"

// A ticker pauses; see the one for Linux.
type ticker struct{ least time.Duration }

func newTicker(least time.Duration) *ticker { return &ticker{least} }

// wait waits for d, or for the least pause if that is longer.
func (t *ticker) wait(d time.Duration) { time.Sleep(max(d, t.least)) }

func (t *ticker) close() {}
