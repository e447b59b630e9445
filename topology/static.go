package topology

import (
	"context"
	"fmt"
	"strings"
)

// Static returns a Source of one topology that never changes. t is copied. If it
// breaks a rule, Watch returns the error, which is ErrInvalid.
func Static(t Topology) Source {
	if err := t.Validate(); err != nil {
		return &staticSource{err: err}
	}
	return &staticSource{topology: t.Clone()}
}

// Addrs returns a Source of nodes given as "id=host:port", all of weight 1 and
// without zones, at epoch 1 with the default partitions and hash. If an argument
// breaks a rule, Watch returns the error, which is ErrInvalid.
//
// Every program that names the same cluster has to name the same nodes: they decide
// where keys are. Nodes that come and go need a Source with epochs.
func Addrs(cluster string, nodes ...string) Source {
	t := Topology{Cluster: cluster, Epoch: 1}
	for i, text := range nodes {
		id, addr, ok := strings.Cut(text, "=")
		if !ok {
			return &staticSource{err: &FieldError{
				Field:  fmt.Sprintf("Nodes[%d]", i),
				Reason: fmt.Sprintf("%q is not id=host:port", text),
			}}
		}
		t.Nodes = append(t.Nodes, Node{ID: NodeID(id), Addr: addr})
	}
	return Static(t)
}

// staticSource has one of the two.
type staticSource struct {
	topology *Topology
	err      error
}

func (s *staticSource) Watch(ctx context.Context, after uint64) (*Topology, error) {
	if s.err != nil {
		return nil, s.err
	}
	if s.topology.Epoch > after {
		return s.topology, nil
	}
	<-ctx.Done()
	return nil, fmt.Errorf("topology: wait for an epoch after %d: %w", after, ctx.Err())
}
