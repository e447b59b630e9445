package load

import "time"

// A schedule says when an open loop's calls should begin: the n-th, counted from 0, n/rate seconds after the start.
type schedule struct {
	rate float64 // calls per second
}

// at returns when call n should begin, counted from the start. It is computed from n, not summed up, so that
// rounding does not drift.
func (s schedule) at(n int64) time.Duration {
	return time.Duration(float64(n) / s.rate * float64(time.Second))
}

// due returns how many calls should have begun once elapsed has passed: those with at(n) <= elapsed.
func (s schedule) due(elapsed time.Duration) int64 {
	if elapsed < 0 {
		return 0
	}
	n := int64(elapsed.Seconds()*s.rate) + 1
	for n > 0 && s.at(n-1) > elapsed {
		n--
	}
	for s.at(n) <= elapsed {
		n++
	}
	return n
}

// total returns how many calls begin before the end.
func (s schedule) total(length time.Duration) int64 { return s.due(length - 1) }
