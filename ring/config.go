package ring

import (
	"math"
	"strconv"
)

const (
	// DefaultPartitions is the number of partitions where Config says 0. It
	// suits clusters of up to about a hundred nodes.
	DefaultPartitions = 4096
	// MaxPartitions bounds Config.Partitions, and with it a ring's memory:
	// 28 bytes per partition.
	MaxPartitions = 1 << 20
	// DefaultVNodes is the number of vnodes per unit of weight where Config
	// says 0.
	DefaultVNodes = 150
	// MaxVNodes bounds Config.VNodes.
	MaxVNodes = 1 << 12
	// MaxOwners is the longest preference list.
	MaxOwners = 7
	// MaxNodes bounds the number of nodes.
	MaxNodes = 1 << 16
	// MaxWeight bounds Node.Weight.
	MaxWeight = 1 << 10
	// maxPoints bounds the vnodes of a whole ring, so that a slip in the
	// weights is an error and not a machine out of memory.
	maxPoints = 1 << 23
)

// Config is what all members of a cluster must agree on, for the life of the
// cluster. The zero value is the default.
type Config struct {
	Partitions int  // a power of two, at most MaxPartitions; 0 means DefaultPartitions
	VNodes     int  // per unit of weight, at most MaxVNodes; 0 means DefaultVNodes
	Hash       Hash // XXHash64 by default
}

// Validate reports the first field that New would refuse, as a *FieldError.
func (c Config) Validate() error {
	c = c.withDefaults()
	switch {
	case c.Partitions < 1 || c.Partitions > MaxPartitions || c.Partitions&(c.Partitions-1) != 0:
		return &FieldError{"Partitions", "must be a power of two from 1 to " + strconv.Itoa(MaxPartitions)}
	case c.VNodes < 1 || c.VNodes > MaxVNodes:
		return &FieldError{"VNodes", "must be from 1 to " + strconv.Itoa(MaxVNodes)}
	case int(c.Hash) >= len(hashNames):
		return &FieldError{"Hash", "unknown " + c.Hash.String()}
	}
	return nil
}

func (c Config) withDefaults() Config {
	if c.Partitions == 0 {
		c.Partitions = DefaultPartitions
	}
	if c.VNodes == 0 {
		c.VNodes = DefaultVNodes
	}
	return c
}

// Node is one storage node as the ring sees it.
type Node struct {
	ID     string  // not empty, unique, compared as bytes
	Zone   string  // the failure domain; "" is a zone like any other
	Weight float64 // relative capacity, from above 0 to MaxWeight; 0 means 1
}

// vnodes returns how many points the node has on the ring: its weight in
// steps of 1/VNodes, at least one. All that follows is integer arithmetic on
// this number, so the result is the same on every platform.
func (n Node) vnodes(c Config) int {
	w := n.Weight
	if w == 0 {
		w = 1
	}
	return max(1, int(math.Round(w*float64(c.VNodes))))
}

// validateNodes reports the first node that New would refuse.
func validateNodes(c Config, nodes []Node) error {
	if len(nodes) == 0 {
		return ErrNoNodes
	}
	if len(nodes) > MaxNodes {
		return &FieldError{"nodes", "more than " + strconv.Itoa(MaxNodes)}
	}
	seen := make(map[string]struct{}, len(nodes))
	points := 0
	for i, n := range nodes {
		field := func(name string) string { return "nodes[" + strconv.Itoa(i) + "]." + name }
		if n.ID == "" {
			return &FieldError{field("ID"), "is empty"}
		}
		if _, dup := seen[n.ID]; dup {
			return &FieldError{field("ID"), strconv.Quote(n.ID) + " is there twice"}
		}
		seen[n.ID] = struct{}{}
		if !(n.Weight >= 0 && n.Weight <= MaxWeight) { // written so that NaN fails
			return &FieldError{field("Weight"), "must be above 0 and at most " + strconv.Itoa(MaxWeight) + ", or 0 for 1"}
		}
		points += n.vnodes(c)
	}
	if points > maxPoints {
		return &FieldError{"nodes", "weights and VNodes make more than " + strconv.Itoa(maxPoints) + " vnodes"}
	}
	return nil
}
