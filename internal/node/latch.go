package node

import (
	"slices"
	"sync"
)

// stripeCount is the number of latches. At a few hundred keys in flight two of
// them rarely share one; all take 128 KiB.
const stripeCount = 4096

// A stripe is the latch of the keys whose tokens end in its index.
type stripe struct {
	mu sync.RWMutex
	// dirty is the sequence number of the last change under the stripe; guarded by mu.
	dirty uint64
}

type latches [stripeCount]stripe

func stripeOf(token uint64) int { return int(token % stripeCount) }

func (l *latches) of(token uint64) *stripe { return &l[stripeOf(token)] }

// lock takes the stripes, which must be sorted, each once.
func (l *latches) lock(stripes []int) {
	for _, i := range stripes {
		l[i].mu.Lock()
	}
}

func (l *latches) unlock(stripes []int) {
	for _, i := range slices.Backward(stripes) {
		l[i].mu.Unlock()
	}
}
