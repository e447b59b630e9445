package load

import (
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Latencies from a microsecond to longest are told apart to a tenth of a percent.
const longest = 2 * time.Minute

// shards of a recorder: callers share them, since a histogram of 200 KB for each of 1,024 callers would be read
// from main memory at every record.
const shards = 8

// A recorder collects latencies from many goroutines.
type recorder [shards]struct {
	mu     sync.Mutex
	counts *hdrhistogram.Histogram // guarded by mu
	_      [48]byte                // one shard, one cache line
}

func newRecorder() *recorder {
	r := new(recorder)
	for i := range r {
		r[i].counts = newHistogram()
	}
	return r
}

func newHistogram() *hdrhistogram.Histogram {
	return hdrhistogram.New(int64(time.Microsecond), int64(longest), 3)
}

// add records a latency in the shard that the number picks.
func (r *recorder) add(shard int, d time.Duration) {
	s := &r[uint(shard)%shards]
	s.mu.Lock()
	_ = s.counts.RecordValue(int64(min(max(d, 0), longest))) // it has no other error than out of range
	s.mu.Unlock()
}

// count returns how many were recorded.
func (r *recorder) count() (n int64) {
	for i := range r {
		r[i].mu.Lock()
		n += r[i].counts.TotalCount()
		r[i].mu.Unlock()
	}
	return n
}

// merged returns all that was recorded.
func (r *recorder) merged() *hdrhistogram.Histogram {
	all := newHistogram()
	for i := range r {
		r[i].mu.Lock()
		all.Merge(r[i].counts)
		r[i].mu.Unlock()
	}
	return all
}

// Percentiles are a distribution's usual points.
type Percentiles struct {
	Count                           int64
	P50, P90, P99, P999, P9999, Max time.Duration
}

func percentiles(h *hdrhistogram.Histogram) Percentiles {
	at := func(p float64) time.Duration { return time.Duration(h.ValueAtQuantile(p)) }
	return Percentiles{h.TotalCount(), at(50), at(90), at(99), at(99.9), at(99.99), time.Duration(h.Max())}
}
