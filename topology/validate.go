package topology

import (
	"errors"
	"fmt"
	"net"
	"strconv"

	"github.com/devrev/pairdb/ring"
)

const (
	// MaxPartitions bounds Topology.Partitions: the table of preference lists
	// that every coordinator holds grows with it.
	MaxPartitions = ring.MaxPartitions

	// MaxNodes bounds Topology.Nodes, far above what one cluster of
	// directly connected coordinators can have.
	MaxNodes = 4096

	// MinWeight and MaxWeight bound Node.Weight. Outside of them a node would have
	// no point on the ring, or more than a coordinator should build.
	MinWeight = 0.01
	MaxWeight = 100

	// MaxTotalWeight bounds the sum of all weights, and with it the points of the
	// ring and the time to build it.
	MaxTotalWeight = 1 << 15
)

// Validate returns nil, or an error that is ErrInvalid and joins a *FieldError for each
// field that breaks its rule.
func (t *Topology) Validate() error {
	var c checker
	c.name("Cluster", t.Cluster)
	if t.Epoch == 0 {
		c.wrong("Epoch", "is 0; epochs count from 1")
	}
	if p := t.Partitions; p < 0 || p > MaxPartitions || p&(p-1) != 0 {
		c.wrong("Partitions", "%d is not a power of two up to %d", p, MaxPartitions)
	}
	if _, err := ring.ParseHash(t.Hash.String()); err != nil {
		c.wrong("Hash", "%d is no hash", uint8(t.Hash))
	}
	c.nodes(t.Nodes)
	return errors.Join(c.errs...)
}

// Follows returns nil if t may come after prev in one cluster (invariants 2 and 3 of the
// package), else an error that is ErrInvalid, by field of t. It does not
// validate either.
func (t *Topology) Follows(prev *Topology) error {
	var c checker
	if t.Cluster != prev.Cluster {
		c.wrong("Cluster", "cannot change from %q to %q", prev.Cluster, t.Cluster)
	}
	if t.partitions() != prev.partitions() {
		c.wrong("Partitions", "cannot change from %d to %d", prev.partitions(), t.partitions())
	}
	if t.Hash != prev.Hash {
		c.wrong("Hash", "cannot change from %v to %v", prev.Hash, t.Hash)
	}
	switch {
	case t.Epoch < prev.Epoch:
		c.wrong("Epoch", "goes back from %d to %d", prev.Epoch, t.Epoch)
	case t.Epoch == prev.Epoch:
		c.wrong("Epoch", "is still %d though the topology has changed; raise it", t.Epoch)
	}
	return errors.Join(c.errs...)
}

// A checker collects what is wrong.
type checker struct {
	errs []error
}

func (c *checker) wrong(field, format string, args ...any) {
	c.errs = append(c.errs, &FieldError{Field: field, Reason: fmt.Sprintf(format, args...)})
}

func (c *checker) nodes(nodes []Node) {
	if len(nodes) == 0 {
		c.wrong("Nodes", "is empty")
	}
	if len(nodes) > MaxNodes {
		c.wrong("Nodes", "has %d nodes, more than %d", len(nodes), MaxNodes)
		return
	}
	ids := make(map[NodeID]int, len(nodes))
	addrs := make(map[string]int, len(nodes))
	stores := make(map[uint64]int, len(nodes))
	total := 0.0
	for i := range nodes {
		n, field := &nodes[i], fmt.Sprintf("Nodes[%d].", i)
		c.node(field, n)
		unique(c, field+"ID", ids, n.ID, i)
		// Two ids at one address would be two copies of a key on one disk.
		unique(c, field+"Addr", addrs, n.Addr, i)
		unique(c, field+"StoreID", stores, n.StoreID, i)
		total += min(n.weight(), MaxWeight) // what is above is refused already
	}
	if total > MaxTotalWeight {
		c.wrong("Nodes", "weigh %v together, more than %d", total, MaxTotalWeight)
	}
}

// unique holds value against those of the nodes before i. The zero value is not
// compared: it stands for "unknown", or is refused already.
func unique[V comparable](c *checker, field string, seen map[V]int, value V, i int) {
	var zero V
	if value == zero {
		return
	}
	if first, ok := seen[value]; ok {
		c.wrong(field, "is that of Nodes[%d] too", first)
		return
	}
	seen[value] = i
}

func (c *checker) node(field string, n *Node) {
	c.name(field+"ID", string(n.ID))
	c.addr(field+"Addr", n.Addr)
	if n.Zone != "" {
		c.name(field+"Zone", n.Zone)
	}
	// Written so that NaN is refused.
	if w := n.weight(); !(w >= MinWeight && w <= MaxWeight) {
		c.wrong(field+"Weight", "%v is not in %v to %v", w, MinWeight, MaxWeight)
	}
	if int(n.State) >= len(stateNames) {
		c.wrong(field+"State", "%d is no state", uint8(n.State))
	}
}

func (c *checker) name(field, s string) {
	if s == "" {
		c.wrong(field, "is empty")
		return
	}
	if len(s) > MaxNameLen {
		c.wrong(field, "has %d bytes, more than %d", len(s), MaxNameLen)
		return
	}
	for i := range len(s) {
		if !nameByte(s[i]) {
			c.wrong(field, "%q has a byte outside [A-Za-z0-9._-] at %d", s, i)
			return
		}
	}
}

func nameByte(b byte) bool {
	return 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z' || '0' <= b && b <= '9' ||
		b == '.' || b == '_' || b == '-'
}

// addr checks the form alone: nothing is looked up or dialled.
func (c *checker) addr(field, addr string) {
	if addr == "" {
		c.wrong(field, "is empty")
		return
	}
	if len(addr) > MaxAddrLen {
		c.wrong(field, "has %d bytes, more than %d", len(addr), MaxAddrLen)
		return
	}
	host, port, err := net.SplitHostPort(addr)
	if err != nil || host == "" {
		c.wrong(field, "%q is not host:port", addr)
		return
	}
	for i := range len(host) {
		if host[i] <= ' ' || host[i] >= 0x7f || host[i] == '/' {
			c.wrong(field, "%q has a character that no host has", addr)
			return
		}
	}
	if p, err := strconv.ParseUint(port, 10, 16); err != nil || p == 0 {
		c.wrong(field, "%q has no port from 1 to 65535", addr)
	}
}
