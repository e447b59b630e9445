//go:build unix

package storagenode

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"
)

// A growing is a store that keys are added to, in the engine alone; the caches have the share of it that the default's
// have of ten million keys.
type growing struct {
	e      *pebbleEngine
	values []byte // random, so that nothing is compressed
}

func (s *growing) put(i int) KV {
	const size = 140
	name := fmt.Appendf(nil, "tenant\x00key-%08d", i)
	at := i * 97 % (len(s.values) - size)
	token := uint64(i) * 0x9e3779b97f4a7c15 //nolint:gosec // as good as a hash
	return KV{Key: append(binary.BigEndian.AppendUint64(nil, token), name...), Value: s.values[at : at+size]}
}

// fill adds the keys from first to end, exclusive, in batches of 64 by four callers, each of which asks for every key first and syncs, as first writes do.
func (s *growing) fill(b *testing.B, first, end int) {
	const each, callers = 64, 4
	var wait sync.WaitGroup
	for g := range callers {
		wait.Go(func() {
			for from := first + g*each; from < end; from += callers * each {
				var puts []KV
				for i := from; i < min(end, from+each); i++ {
					puts = append(puts, s.put(i))
				}
				if s.found(b, puts) != 0 {
					b.Error("a key is there already")
				}
				if err := s.e.Apply(puts); err != nil {
					b.Error(err)
				}
				if err := s.e.Sync(); err != nil {
					b.Error(err)
				}
			}
		})
	}
	wait.Wait()
}

func (s *growing) found(b *testing.B, puts []KV) (found int) {
	for i := range puts {
		there, err := s.e.Get(puts[i].Key, func([]byte) error { return nil })
		if err != nil {
			b.Error(err)
		}
		if there {
			found++
		}
	}
	return found
}

// settle waits until nothing is compacted.
func (s *growing) settle() {
	for calm := 0; calm < 3; calm++ {
		time.Sleep(100 * time.Millisecond)
		if m := s.e.db.Metrics(); m.Compact.NumInProgress > 0 || m.Flush.NumInProgress > 0 {
			calm = -1
		}
	}
}

// BenchmarkGrowingStore tells what each key takes of a store that grows by 10,000 with every round, until the store has settled, and what
// searches take then, a hundred in every round, for keys that are there and for others: -benchtime 100x stores a million.
func BenchmarkGrowingStore(b *testing.B) {
	const grows, searches = 10_000, 100
	random := rand.New(rand.NewPCG(1, 2))
	s := &growing{e: openIn(b, 28<<20), values: make([]byte, 100<<10)}
	for i := range s.values {
		s.values[i] = byte(random.Uint32())
	}
	s.fill(b, 0, grows)
	keys := grows
	b.Run("put", func(b *testing.B) {
		before := s.e.db.Metrics().Total()
		began, more := cpuTime(), grows*b.N
		s.fill(b, keys, keys+more)
		keys += more
		b.StopTimer()
		s.settle()
		after := s.e.db.Metrics().Total()
		tables := after.TableBytesFlushed + after.TableBytesCompacted - before.TableBytesFlushed - before.TableBytesCompacted
		b.ReportMetric(float64((cpuTime()-began).Nanoseconds())/float64(more), "cpu-ns/key")
		b.ReportMetric(float64(tables)/float64(more), "table-B/key")
		b.ReportMetric(float64(more)/b.Elapsed().Seconds(), "keys/s")
	})
	for _, search := range []struct {
		name  string
		first int
	}{{"stored", 0}, {"not stored", keys}} {
		b.Run(search.name, func(b *testing.B) {
			began := cpuTime()
			for range searches * b.N {
				s.found(b, []KV{s.put(search.first + random.IntN(keys))})
			}
			b.ReportMetric(float64((cpuTime()-began).Nanoseconds())/float64(searches*b.N), "cpu-ns/search")
		})
	}
}
