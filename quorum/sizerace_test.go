//go:build race

package quorum

// Under the race detector, which has little to find in code without goroutines,
// the explorations are smaller.
const (
	exploredOwners    = 3
	exploredOrders    = 1
	exploredReplayers = 1
	randomRequests    = 5_000
)
