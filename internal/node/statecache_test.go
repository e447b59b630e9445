package node

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/devrev/pairdb/storagepb"
)

// countingEngine counts the reads that reach it.
type countingEngine struct {
	*Memory
	reads int
}

func (e *countingEngine) Get(key []byte, use func([]byte) error) (bool, error) {
	e.reads++
	return e.Memory.Get(key, use)
}

func TestWhatWasReadOrWrittenLatelyIsNotReadFromTheEngine(t *testing.T) {
	engine := &countingEngine{Memory: NewMemory()}
	c := open(t, engine, Config{CacheBytes: 1 << 20})
	require1(t, storagepb.Status_OK, c.Do(write("k", at(1, 0), nil, "v")))
	engine.reads = 0
	require1(t, storagepb.Status_OK, c.Do(write("k", at(2, 0), nil, "w")))
	holds(t, c, "k", "v", "w")
	require.Zero(t, engine.reads)

	again := open(t, engine, Config{CacheBytes: 1 << 20})
	holds(t, again, "k", "v", "w")
	require.Equal(t, 1, engine.reads)
	holds(t, again, "k", "v", "w")
	require.Equal(t, 1, engine.reads, "the second time it is at hand")
}

func TestAWriteThatTheEngineDidNotTakeIsNotInTheCache(t *testing.T) {
	disk := newSlowDisk()
	c := open(t, disk, Config{CacheBytes: 1 << 20, NoSync: true})
	require1(t, storagepb.Status_OK, c.Do(write("k", at(1, 0), nil, "v")))
	disk.apply = ErrFull
	require1(t, storagepb.Status_DISK, c.Do(write("k", at(2, 0), nil, "w")))
	holds(t, c, "k", "v")
	disk.apply = nil
	require1(t, storagepb.Status_OK, c.Do(write("k", at(3, 0), nil, "x")))
	holds(t, c, "k", "v", "x")
}

func TestACacheHoldsTheLastValueOrNoneAndNoMoreThanItsBound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const most = 64 << 10
		c, want := newStateCache(most), map[string][]byte{}
		for range rapid.IntRange(1, 200).Draw(t, "puts") {
			key := fmt.Sprint(rapid.IntRange(0, 40).Draw(t, "key"))
			value := bytes.Repeat([]byte{rapid.Byte().Draw(t, "byte")}, rapid.SampledFrom([]int{0, 1, 100, 500, 513, 2000, 2100, 5000}).Draw(t, "size"))
			c.put([]byte(key), value)
			want[key] = value
		}
		held := 0
		for key, value := range want {
			_, err := c.get([]byte(key), func(v []byte) error {
				held += len(v)
				require.True(t, bytes.Equal(value, v), "%q", key)
				return nil
			})
			require.NoError(t, err)
		}
		require.LessOrEqual(t, held, most)
	})
}

// has reports whether the cache has a key, which counts as a use.
func (c *stateCache) has(key string) bool {
	found, _ := c.get([]byte(key), func([]byte) error { return nil })
	return found
}

func TestACacheKeepsEverythingWhileThereIsRoom(t *testing.T) {
	c := newStateCache(256 << 10)
	for i := range 1000 {
		c.put(fmt.Append(nil, "k", i), make([]byte, 150))
	}
	for i := range 1000 {
		require.True(t, c.has(fmt.Sprint("k", i)), i)
	}
}

func TestAFullCacheKeepsWhatIsInUseAndBoundsWhatItHolds(t *testing.T) {
	const most = 256 << 10
	c := newStateCache(most)
	inUse, read := 200, 0
	for i := range 20_000 {
		c.put(fmt.Append(nil, "k", i), make([]byte, 150))
		if key := fmt.Sprint("k", i%inUse); !c.has(key) { // which is read from the engine then
			c.put([]byte(key), make([]byte, 150))
			read++
		}
	}
	require.Less(t, read, 2*inUse)
	require.True(t, c.has("k19999"))
	require.False(t, c.has("k1000"))
	for i := range c.shards {
		held := 0
		for _, chunk := range c.shards[i].chunks {
			held += cap(chunk)
		}
		require.LessOrEqual(t, held, most/len(c.shards))
	}
}

// A cache in which everything is in use has to let go of some of it all the same.
func TestACacheGoesOnWhenAllOfItIsInUse(t *testing.T) {
	c := newStateCache(64 << 10)
	for i := range 5000 {
		c.put(fmt.Append(nil, "k", i), make([]byte, 150))
		require.True(t, c.has(fmt.Sprint("k", i)))
	}
}

func TestALargeStateIsNotCachedAndTakesTheOldOneAway(t *testing.T) {
	c := newStateCache(64 << 10)
	c.put([]byte("k"), []byte("small"))
	c.put([]byte("k"), make([]byte, 32<<10))
	require.False(t, c.has("k"))
}

func TestNoCacheCachesNothing(t *testing.T) {
	none := newStateCache(0)
	none.put([]byte("k"), nil)
	require.False(t, none.has("k"))
}
