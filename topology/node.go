package topology

import "fmt"

const (
	// MaxNameLen bounds a cluster's, a node's and a zone's name, in bytes.
	MaxNameLen = 64

	// MaxAddrLen bounds an address, in bytes: the longest DNS name, with room for a port.
	MaxAddrLen = 264
)

// A NodeID names a storage node for as long as it holds its data: 1 to
// MaxNameLen of [A-Za-z0-9._-]. Upper and lower case differ.
type NodeID string

// A Node is one storage node.
type Node struct {
	ID NodeID
	// Addr is where coordinators dial the node, host:port with a numeric port. A custom
	// dialer gets it as it is written here.
	Addr string
	// Zone is what fails together (a rack, a data centre): preference lists spread
	// over zones first. Empty, or of the same form as an ID. Nodes without a zone
	// are all in one, the unnamed zone.
	Zone string
	// Weight is the node's share of the data relative to the others, above 0 and
	// at most MaxWeight; 0 is 1.
	Weight float64
	// State says how the node is to be used. The zero state is Active.
	State NodeState
	// StoreID is the store that the node is expected to have; one that shows
	// another has lost its data and counts for no quorum. 0 is unknown: a
	// coordinator trusts the first that it sees.
	StoreID uint64
}

// A NodeState says how coordinators use a node. It never changes who owns a key.
type NodeState uint8

const (
	// Active nodes are in service.
	Active NodeState = iota
	// Draining nodes own what they own and get every write, but reads
	// prefer the other owners. Operators set it ahead of planned work on a node.
	Draining
)

var stateNames = [...]string{Active: "active", Draining: "draining"}

// String returns "active" or "draining".
func (s NodeState) String() string {
	if int(s) < len(stateNames) {
		return stateNames[s]
	}
	return fmt.Sprintf("NodeState(%d)", uint8(s))
}

// ParseNodeState is the inverse of String. Any other text is ErrInvalid.
func ParseNodeState(text string) (NodeState, error) {
	for s, name := range stateNames {
		if text == name {
			return NodeState(s), nil //nolint:gosec // an index into a short table
		}
	}
	return 0, &FieldError{Field: "State", Reason: fmt.Sprintf("%q is neither active nor draining", text)}
}
