package topology

import (
	"encoding/json"
	"fmt"

	"github.com/devrev/pairdb/ring"
)

// topologyJSON and nodeJSON give the fields of the file their order and names.
type topologyJSON struct {
	Cluster    string `json:"cluster"`
	Epoch      uint64 `json:"epoch"`
	Partitions int    `json:"partitions"`
	Hash       string `json:"hash"`
	Nodes      []Node `json:"nodes"`
}

type nodeJSON struct {
	ID      NodeID  `json:"id"`
	Addr    string  `json:"addr"`
	Zone    string  `json:"zone,omitempty"`
	Weight  float64 `json:"weight,omitempty"`
	State   string  `json:"state,omitempty"`
	StoreID string  `json:"storeId,omitempty"`
}

// MarshalJSON returns t in the form that the package comment shows. A hash or a
// state without a name is ErrInvalid; t is not validated beyond that.
func (t Topology) MarshalJSON() ([]byte, error) {
	if _, err := ring.ParseHash(t.Hash.String()); err != nil {
		return nil, &FieldError{Field: "Hash", Reason: fmt.Sprintf("%d is no hash", uint8(t.Hash))}
	}
	nodes := t.Nodes
	if nodes == nil {
		nodes = []Node{}
	}
	return json.Marshal(topologyJSON{
		Cluster:    t.Cluster,
		Epoch:      t.Epoch,
		Partitions: t.partitions(),
		Hash:       t.Hash.String(),
		Nodes:      nodes,
	})
}

// MarshalJSON returns n in the form that the package comment shows.
func (n Node) MarshalJSON() ([]byte, error) {
	out := nodeJSON{ID: n.ID, Addr: n.Addr, Zone: n.Zone, Weight: n.Weight}
	if n.State != Active {
		if _, err := ParseNodeState(n.State.String()); err != nil {
			return nil, err
		}
		out.State = n.State.String()
	}
	if n.StoreID != 0 {
		out.StoreID = fmt.Sprintf("%016x", n.StoreID)
	}
	return json.Marshal(out)
}
