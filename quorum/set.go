package quorum

import "math/bits"

// MaxOwners bounds the distinct owners of one request: two owner sets of at
// most seven during a topology change.
const MaxOwners = 14

// A Set is a set of replicas, numbered 0 to MaxOwners-1 by the caller for the
// length of one request.
type Set uint16

// SetOf returns the set of the given replicas.
func SetOf(replicas ...int) Set {
	var s Set
	for _, i := range replicas {
		s = s.With(i)
	}
	return s
}

// FirstN returns the set {0, …, n-1}.
func FirstN(n int) Set { return Set(1)<<n - 1 }

// Has reports whether replica i is in s.
func (s Set) Has(i int) bool { return s&(1<<i) != 0 }

// With returns s with replica i added.
func (s Set) With(i int) Set { return s | 1<<i }

// Without returns s with replica i taken out.
func (s Set) Without(i int) Set { return s &^ (1 << i) }

// Len returns how many replicas are in s.
func (s Set) Len() int { return bits.OnesCount16(uint16(s)) }

// All yields the replicas in s, ascending.
func (s Set) All(yield func(int) bool) {
	for ; s != 0; s &= s - 1 {
		if !yield(bits.TrailingZeros16(uint16(s))) {
			return
		}
	}
}

// Owners are the replicas that a request must reach. Old is the preference
// list in force. New is empty except while the topology changes: then the level must
// be met in each of the two sets by itself (joint quorums, as in Raft's joint
// consensus), and a replica in both counts in both.
type Owners struct {
	Old, New Set
}

// Union returns every replica of either set.
func (o Owners) Union() Set { return o.Old | o.New }
