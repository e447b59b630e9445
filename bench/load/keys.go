package load

import "math/rand/v2"

// Keys says which keys the callers ask for: numbers from 0 to N-1, evenly, or by Zipf's law.
type Keys struct {
	N    int
	Zipf bool // the k-th most popular key is asked for in proportion to 1/k^1.01
}

// zipfExponent is the least that the generator takes with room to spare; 0.99 is YCSB's.
const zipfExponent = 1.01

// A Caller is what one goroutine of a load has to itself.
type Caller struct {
	ID   int
	Rand *rand.Rand
	keys Keys
	zipf *rand.Zipf // nil for even popularity
}

// NewCaller returns a caller with a number; callers with one seed and different numbers ask for different keys.
func NewCaller(id int, seed uint64, keys Keys) *Caller {
	c := &Caller{ID: id, Rand: rand.New(rand.NewPCG(seed, uint64(id))), keys: keys}
	if keys.Zipf {
		c.zipf = rand.NewZipf(c.Rand, zipfExponent, 1, uint64(keys.N-1))
	}
	return c
}

// Key returns the key to ask for next.
func (c *Caller) Key() int {
	if c.zipf == nil {
		return c.Rand.IntN(c.keys.N)
	}
	return scatter(c.zipf.Uint64(), c.keys.N)
}

// scatter spreads the popular ranks over the keys, so that neighbours are not popular together.
func scatter(rank uint64, n int) int {
	const prime = 2_654_435_761 // Knuth's multiplier; coprime with every N that is no multiple of it
	return int(rank * prime % uint64(n))
}
