package topology

import (
	"strconv"

	"github.com/devrev/pairdb/ring"
)

// UnmarshalJSON reads the form that the package comment shows, and replaces all of
// t, or nothing if it fails. The error is a *SyntaxError. The result is not
// validated; sources do that.
func (t *Topology) UnmarshalJSON(text []byte) error {
	d := newDecoder(text)
	var out Topology
	err := d.object([]string{"cluster", "epoch", "nodes"}, map[string]func() error{
		"cluster":    func() error { return d.text(&out.Cluster) },
		"epoch":      func() error { return d.epoch(&out.Epoch) },
		"partitions": func() error { return d.partitions(&out.Partitions) },
		"hash":       func() error { return d.hash(&out.Hash) },
		"nodes":      func() error { return d.nodes(&out.Nodes) },
	})
	if err != nil {
		return err
	}
	if err := d.end(); err != nil {
		return err
	}
	*t = out
	return nil
}

// UnmarshalJSON reads one element of a topology's nodes, as Topology.UnmarshalJSON does.
func (n *Node) UnmarshalJSON(text []byte) error {
	d := newDecoder(text)
	var out Node
	if err := d.node(&out); err != nil {
		return err
	}
	if err := d.end(); err != nil {
		return err
	}
	*n = out
	return nil
}

func (d *decoder) nodes(to *[]Node) error {
	return d.array(func(i int) error {
		if i >= MaxNodes {
			return d.wrong("more than %d nodes", MaxNodes)
		}
		var n Node
		if err := d.node(&n); err != nil {
			return err
		}
		*to = append(*to, n)
		return nil
	})
}

func (d *decoder) node(n *Node) error {
	return d.object([]string{"id", "addr"}, map[string]func() error{
		"id":      func() error { return d.text((*string)(&n.ID)) },
		"addr":    func() error { return d.text(&n.Addr) },
		"zone":    func() error { return d.text(&n.Zone) },
		"weight":  func() error { return d.weight(&n.Weight) },
		"state":   func() error { return d.state(&n.State) },
		"storeId": func() error { return d.storeID(&n.StoreID) },
	})
}

func (d *decoder) epoch(to *uint64) error {
	text, err := d.number()
	if err != nil {
		return err
	}
	if *to, err = strconv.ParseUint(text, 10, 64); err != nil {
		return d.wrong("%s is not a whole number from 1 to 2^64-1", text)
	}
	return nil
}

// partitions refuses 0, which in Go means the default: in a file it is more
// likely to be a mistake.
func (d *decoder) partitions(to *int) error {
	text, err := d.number()
	if err != nil {
		return err
	}
	if *to, err = strconv.Atoi(text); err != nil || *to < 1 {
		return d.wrong("%s is not a power of two", text)
	}
	return nil
}

func (d *decoder) hash(to *ring.Hash) error {
	var text string
	if err := d.text(&text); err != nil {
		return err
	}
	h, err := ring.ParseHash(text)
	if err != nil {
		return d.wrong("%q is no hash", text)
	}
	*to = h
	return nil
}

// weight refuses 0 for the reason that partitions gives.
func (d *decoder) weight(to *float64) error {
	text, err := d.number()
	if err != nil {
		return err
	}
	if *to, err = strconv.ParseFloat(text, 64); err != nil || *to <= 0 {
		return d.wrong("%s is no weight", text)
	}
	return nil
}

func (d *decoder) state(to *NodeState) error {
	var text string
	if err := d.text(&text); err != nil {
		return err
	}
	s, err := ParseNodeState(text)
	if err != nil {
		return d.wrong("%q is neither active nor draining", text)
	}
	*to = s
	return nil
}

// storeID reads hex text, since JSON numbers of 64 bits do not survive every tool.
func (d *decoder) storeID(to *uint64) error {
	var text string
	if err := d.text(&text); err != nil {
		return err
	}
	id, err := strconv.ParseUint(text, 16, 64)
	if err != nil || id == 0 || len(text) > 16 {
		return d.wrong("%q is not 1 to 16 hex digits, with one that is not 0", text)
	}
	*to = id
	return nil
}
