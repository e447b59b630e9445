package main

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync/atomic"

	"github.com/devrev/pairdb"
)

// A keyset is a run of numbered keys of one length, kept back to back in one string: a million strings of
// their own would be a million pointers for the garbage collector to follow during the measurements.
type keyset struct {
	n, width int
	text     string
}

func newKeyset(prefix string, n int) keyset {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "%s%08d", prefix, i)
	}
	return keyset{n: n, width: len(prefix) + 8, text: b.String()}
}

func (k keyset) key(i int) string { return k.text[i*k.width : (i+1)*k.width] }

// newValue returns bytes that no storage engine can compress.
func newValue(n int) []byte {
	random := rand.New(rand.NewPCG(1, uint64(n)))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(random.Uint32())
	}
	return b
}

// contexts are what the callers keep of each key that they put: the last receipt's context. One caller at a time
// has a key, as one who edits a thing alone.
type contexts struct {
	taken []atomic.Bool
	last  []pairdb.CausalContext // each guarded by its taken
}

func newContexts(n int) *contexts {
	return &contexts{taken: make([]atomic.Bool, n), last: make([]pairdb.CausalContext, n)}
}

// take returns key i, or the next one that nobody has, for the caller to give back. There must be more keys than
// callers.
func (c *contexts) take(i int) int {
	for !c.taken[i].CompareAndSwap(false, true) {
		i = (i + 1) % len(c.taken)
	}
	return i
}

func (c *contexts) giveBack(i int) { c.taken[i].Store(false) }
