package pairdbtest

import (
	"slices"
	"sync"

	"github.com/devrev/pairdb/vclock"
)

// State returns what the node holds for a key, running or not, and whether it
// holds anything. It passes by all faults.
func (n *Node) State(tenant, key string) (vclock.State, bool) {
	core := n.latestCore()
	if core == nil {
		return vclock.State{}, false
	}
	_, state, err := core.Inspect(tenant, []byte(key))
	if err != nil { // a store in memory does not break
		n.cluster.fail(err)
	}
	return state, !state.IsZero()
}

// Len returns the number of keys that the node holds, deleted ones included.
func (n *Node) Len() int {
	n.mu.Lock()
	store := n.store
	n.mu.Unlock()
	keys := 0
	_ = store.Scan(nil, nil, func(_, _ []byte) error { keys++; return nil }) // its only error is the callback's
	return keys
}

// A Write names a client's write.
type Write struct {
	Tenant, Key string
	Dot         vclock.Dot
}

// Applied returns the clients' writes that the node applied, in that order, each
// once: not what it had seen already, nor what repairs brought.
func (n *Node) Applied() []Write { return n.audit.list() }

// An audit is the log of what a node applied; Wipe leaves it.
type audit struct {
	mu     sync.Mutex
	writes []Write // guarded by mu
}

func (a *audit) add(tenant string, key []byte, dot vclock.Dot) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.writes = append(a.writes, Write{tenant, string(key), dot})
}

func (a *audit) list() []Write {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.writes)
}
