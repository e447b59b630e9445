package storagenode_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb/storagenode"
	"github.com/devrev/pairdb/storagepb"
)

// A losingFS calls before ahead of every operation that changes the disk.
type losingFS struct {
	*vfs.MemFS
	before func()
}

func (f losingFS) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	f.before()
	file, err := f.MemFS.Create(name, c)
	return losingFile{file, f}, err
}

func (f losingFS) ReuseForWrite(from, to string, c vfs.DiskWriteCategory) (vfs.File, error) {
	f.before()
	file, err := f.MemFS.ReuseForWrite(from, to, c)
	return losingFile{file, f}, err
}

func (f losingFS) OpenDir(name string) (vfs.File, error) {
	dir, err := f.MemFS.OpenDir(name)
	return losingFile{dir, f}, err
}

func (f losingFS) Rename(from, to string) error {
	f.before()
	return f.MemFS.Rename(from, to)
}

func (f losingFS) Remove(name string) error {
	f.before()
	return f.MemFS.Remove(name)
}

type losingFile struct {
	vfs.File
	fs losingFS
}

func (f losingFile) Write(p []byte) (int, error) {
	f.fs.before()
	return f.File.Write(p)
}

func (f losingFile) WriteAt(p []byte, at int64) (int, error) {
	f.fs.before()
	return f.File.WriteAt(p, at)
}

func (f losingFile) Sync() error {
	f.fs.before()
	return f.File.Sync()
}

func (f losingFile) SyncData() error {
	f.fs.before()
	return f.File.SyncData()
}

// A loss is what the disk has after a loss of power, and what was acknowledged before.
type loss struct {
	disk  *vfs.MemFS
	acked map[string][]string
}

// mix writes to the store that is left a percentage of the blocks that its files have in the disk's memory.
func mix(t *testing.T, left, disk *vfs.MemFS, percent int, random *rand.Rand) {
	if percent == 0 {
		return
	}
	names, err := left.List("store/data")
	require.NoError(t, err)
	for _, name := range names {
		path := left.PathJoin("store/data", name)
		file, err := disk.Open(path)
		if err != nil {
			continue // it has another name in memory
		}
		data, err := io.ReadAll(file)
		require.NoError(t, errors.Join(err, file.Close()))
		to, err := left.OpenReadWrite(path, vfs.WriteCategoryUnspecified)
		require.NoError(t, err)
		const block = 512
		for at := 0; at < len(data); at += block {
			if random.IntN(100) < percent {
				_, err := to.WriteAt(data[at:min(at+block, len(data))], int64(at))
				require.NoError(t, err)
			}
		}
		require.NoError(t, errors.Join(to.Sync(), to.Close()))
	}
}

// losses opens a node, lets use work with it, and returns what losses of power during that would have left, at one in some
// of the operations on the disk: what was synced, and a percentage of the blocks that were not. (Names that were not synced
// are lost: a file system brings them to the disk in order, which Pebble relies on.)
func losses(t *testing.T, disk *vfs.MemFS, percent, some int, random *rand.Rand, acks *acknowledgements, use func(*storagenode.Node)) (found []loss) {
	var mu sync.Mutex
	n := openOn(t, losingFS{disk, func() {
		mu.Lock()
		defer mu.Unlock()
		if random.IntN(some) == 0 {
			acked := acks.copy()
			left := disk.CrashClone(vfs.CrashCloneCfg{})
			mix(t, left, disk, percent, random)
			found = append(found, loss{left, acked})
		}
	}})
	use(n)
	require.NoError(t, n.Close(context.Background()))
	return found
}

func TestALossOfPowerAtAnyOperationOnTheDiskLosesNothingAcknowledged(t *testing.T) {
	for _, percent := range []int{0, 30, 100} {
		t.Run(fmt.Sprint(percent, "% of the blocks that were not synced survive"), func(t *testing.T) {
			random := rand.New(rand.NewPCG(uint64(percent), 1))
			disk := vfs.NewCrashableMem()
			require.NoError(t, openOn(t, disk).Close(context.Background())) // a store that is not complete may be made again
			acks := &acknowledgements{list: map[string][]string{}}
			first := losses(t, disk, percent, 8, random, acks, func(n *storagenode.Node) {
				for i := range 40 {
					key, value := fmt.Sprint("key", i), fmt.Sprintf("%0*d", 1+997*i%6000, i)
					require.Equal(t, storagepb.Status_OK, storagenode.Do(n, merge(key, 1, []byte(value))).Status)
					acks.add(key, value)
					if i%5 == 4 { // the next log; from the third on in the place of an old one
						require.NoError(t, storagenode.Flush(n))
					}
				}
			})
			require.Greater(t, len(first), 20)
			for _, l := range first {
				acks := &acknowledgements{list: l.acked}
				again := losses(t, l.disk, percent, 40, random, acks, func(n *storagenode.Node) { requireAll(t, n, l.acked) })
				for _, l := range again { // the power fails once more while the store is opened, or closed
					requireAll(t, openOn(t, l.disk), l.acked)
				}
			}
		})
	}
}

// An opening that was cut short may rightly leave no log that matters. From the next on there is one.
func TestAfterAnOpeningThatWasCutShortTheLossOfAllLogsIsNoticed(t *testing.T) {
	put := func(n *storagenode.Node, key string) {
		require.Equal(t, storagepb.Status_OK, storagenode.Do(n, merge(key, 1, []byte("v"))).Status)
	}
	disk := vfs.NewCrashableMem()
	require.NoError(t, openOn(t, disk).Close(context.Background()))
	n := openOn(t, disk)
	put(n, "first")
	left := disk.CrashClone(vfs.CrashCloneCfg{})
	require.NoError(t, n.Close(context.Background()))

	var short []*vfs.MemFS
	require.NoError(t, openOn(t, losingFS{left, func() {
		short = append(short, left.CrashClone(vfs.CrashCloneCfg{}))
	}}).Close(context.Background()))
	for _, disk := range short {
		n := openOn(t, disk)
		put(n, "second")
		require.NoError(t, storagenode.Flush(n))
		put(n, "third")
		left := disk.CrashClone(vfs.CrashCloneCfg{})
		require.NoError(t, n.Close(context.Background()))
		names, err := left.List("store/data")
		require.NoError(t, err)
		for _, name := range names {
			if strings.HasSuffix(name, ".log") {
				require.NoError(t, left.Remove(left.PathJoin("store/data", name)))
			}
		}
		_, err = storagenode.Open("store", self, storagenode.WithFS(left))
		require.ErrorIs(t, err, storagenode.ErrDamaged)
	}
}
