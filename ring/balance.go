package ring

// Balance returns the largest share of ownership over the mean share, with n
// owners per partition. A node's share is its ownerships divided by its
// weight, so 1 is perfect and 1.10 means that the busiest node has a tenth
// more than its weight asks for.
func (r *Ring) Balance(n int) (largest float64) {
	loads, total, weights := make([]int, len(r.nodes)), 0, 0
	for p := range r.config.Partitions {
		for _, o := range r.Owners(p, n) {
			loads[o]++
			total++
		}
	}
	for _, node := range r.nodes {
		weights += node.vnodes(r.config)
	}
	if total == 0 {
		return 1
	}
	mean := float64(total) / float64(weights)
	for i, node := range r.nodes {
		largest = max(largest, float64(loads[i])/float64(node.vnodes(r.config))/mean)
	}
	return largest
}

// Moved returns the fraction of ownerships that differ between a and b, from 0
// to 1: of all (partition, replica) pairs of b with n owners per partition,
// how many lie on a node, by ID, that does not own that partition in a. A
// change of order within a preference list moves no data and counts for
// nothing. It is 1 if the rings do not have the same partitions.
func Moved(a, b *Ring, n int) float64 {
	if a.config.Partitions != b.config.Partitions {
		return 1
	}
	inA := make(map[string]int32, len(a.nodes))
	for i, node := range a.nodes {
		inA[node.ID] = int32(i)
	}
	moved, total := 0, 0
	for p := range b.config.Partitions {
		old := a.Owners(p, n)
		for _, o := range b.Owners(p, n) {
			total++
			i, known := inA[b.nodes[o].ID]
			if !known || !contains(old, i) {
				moved++
			}
		}
	}
	if total == 0 {
		return 0
	}
	return float64(moved) / float64(total)
}

// MostMoved returns the largest of Moved, in either direction, over all numbers of owners up to
// MaxOwners: 0 if and only if no key has other owners in b than in a, whatever its replication
// factor. (With as many owners as nodes, nothing ever moves; with fewer, much may. And where a
// node leaves, nobody need have become an owner.)
func MostMoved(a, b *Ring) (most float64) {
	for n := 1; n <= MaxOwners; n++ {
		most = max(most, Moved(a, b, n), Moved(b, a, n))
	}
	return most
}

func contains(owners []int32, i int32) bool {
	for _, o := range owners {
		if o == i {
			return true
		}
	}
	return false
}
