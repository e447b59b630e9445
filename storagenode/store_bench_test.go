//go:build unix

package storagenode

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
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

// fill adds keys in batches of 64 by four callers, each of which asks for every key first and syncs, as first writes do.
func (s *growing) fill(b *testing.B, keys int) {
	const each, callers = 64, 4
	var wait sync.WaitGroup
	for g := range callers {
		wait.Go(func() {
			for from := g * each; from < keys; from += callers * each {
				var puts []KV
				for i := from; i < min(keys, from+each); i++ {
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

// BenchmarkGrowingStore tells what each key of a million that are stored takes until the store has settled, and what
// searches take then, for keys that are there and for others.
func BenchmarkGrowingStore(b *testing.B) {
	const keys = 1_000_000
	random := rand.New(rand.NewPCG(1, 2))
	s := &growing{e: openIn(b, 28<<20), values: make([]byte, 100<<10)}
	for i := range s.values {
		s.values[i] = byte(random.Uint32())
	}
	b.Run("put", func(b *testing.B) {
		require.Equal(b, 1, b.N, "use -benchtime 1x")
		began := cpuTime()
		s.fill(b, keys)
		b.StopTimer()
		s.settle()
		m := s.e.db.Metrics()
		total := m.Total()
		b.ReportMetric(float64((cpuTime()-began).Nanoseconds())/keys, "cpu-ns/key")
		b.ReportMetric(float64(total.TableBytesFlushed+total.TableBytesCompacted)/keys, "table-B/key")
		b.ReportMetric(keys/b.Elapsed().Seconds(), "keys/s")
	})
	for _, search := range []struct {
		name  string
		first int
	}{{"stored", 0}, {"not stored", keys}} {
		b.Run(search.name, func(b *testing.B) {
			const searches = 50_000
			began := cpuTime()
			for range searches {
				s.found(b, []KV{s.put(search.first + random.IntN(keys))})
			}
			b.ReportMetric(float64((cpuTime()-began).Nanoseconds())/searches, "cpu-ns/search")
		})
	}
}
