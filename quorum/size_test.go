//go:build !race

package quorum

// The size of the explorations: every order of every event for up to so many
// owners, and so many requests at random beyond.
const (
	exploredOwners    = 5
	exploredOrders    = 3
	exploredReplayers = 2
	randomRequests    = 100_000
)
