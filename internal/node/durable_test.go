package node

import (
	"errors"
	"maps"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb/internal/wire"
	"github.com/devrev/pairdb/storagepb"
	"github.com/devrev/pairdb/vclock"
)

// A slowDisk is an engine whose syncs wait to be let go, and which can be copied
// as a crash would leave it.
type slowDisk struct {
	*Memory
	sync   chan error // one per Sync that is let go
	synced map[string][]byte
	apply  error
}

func newSlowDisk() *slowDisk {
	return &slowDisk{Memory: NewMemory(), sync: make(chan error), synced: map[string][]byte{}}
}

func (d *slowDisk) snapshot() map[string][]byte {
	all := map[string][]byte{}
	for _, r := range d.between(nil, nil) {
		all[string(r.Key)] = r.Value
	}
	return all
}

func (d *slowDisk) Apply(puts []KV) error {
	if d.apply != nil {
		return d.apply
	}
	return d.Memory.Apply(puts)
}

func (d *slowDisk) Sync() error {
	covered := d.snapshot()
	err := <-d.sync
	if err == nil {
		d.synced = covered
	}
	return err
}

// crashed is what a restart would find.
func (d *slowDisk) crashed() *Memory {
	m := NewMemory()
	m.meta = maps.Clone(d.meta)
	for key, value := range d.synced {
		_ = m.Apply([]KV{{[]byte(key), value}}) // it cannot fail
	}
	return m
}

// later runs an operation and returns where its answer will be.
func later(c *Core, op *wire.Operation) direct {
	answered := make(direct, 1)
	c.run([]*wire.Operation{op}, time.Now(), answered)
	return answered
}

// Interleavings, case 7: z, covering d, is applied but not synced; d arrives and
// changes nothing; were it acknowledged at once, a crash would lose both.
func TestInterleaving7AnAcknowledgementThatChangedNothingWaitsForTheDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk := newSlowDisk()
		c := open(t, disk, Config{})
		d := at(1, 0)
		z := later(c, write("k", at(2, 0), vclock.Clock{d}, "z"))
		synctest.Wait()
		again := later(c, write("k", d, nil, "d"))
		synctest.Wait()
		require.Empty(t, z)
		require.Empty(t, again, "acknowledged before what covers it is on disk")
		holds(t, open(t, disk.crashed(), Config{}), "k")

		disk.sync <- nil
		synctest.Wait()
		require1(t, storagepb.Status_OK, <-z)
		require1(t, storagepb.Status_OK, <-again)
		holds(t, open(t, disk.crashed(), Config{}), "k", "z")
	})
}

// The rule of case 7 switched off: the same steps lose an acknowledged write.
func TestInterleaving7WithoutSyncTheWriteIsAcknowledgedAndLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk := newSlowDisk()
		c := open(t, disk, Config{NoSync: true})
		d := at(1, 0)
		later(c, write("k", at(2, 0), vclock.Clock{d}, "z"))
		require1(t, storagepb.Status_OK, <-later(c, write("k", d, nil, "d")))
		holds(t, open(t, disk.crashed(), Config{}), "k")
	})
}

func TestAReadShowsNothingThatACrashCouldStillTake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk := newSlowDisk()
		c := open(t, disk, Config{})
		w := later(c, write("k", at(1, 0), nil, "v"))
		reads := []direct{}
		for _, kind := range []storagepb.Kind{storagepb.Kind_READ_STATE, storagepb.Kind_READ_DIGEST, storagepb.Kind_READ_CLOCK} {
			reads = append(reads, later(c, read("k", kind)))
		}
		elsewhere := later(c, read("another key", storagepb.Kind_READ_STATE))
		synctest.Wait()
		require1(t, storagepb.Status_OK, <-elsewhere)
		for _, r := range reads {
			require.Empty(t, r)
		}
		disk.sync <- nil
		require1(t, storagepb.Status_OK, <-w)
		for _, r := range reads {
			require1(t, storagepb.Status_OK, <-r)
		}
		require1(t, storagepb.Status_OK, <-later(c, read("k", storagepb.Kind_READ_STATE)))
	})
}

func TestOneSyncServesAllWhoCameWhileTheLastOneRan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk := newSlowDisk()
		c := open(t, disk, Config{})
		first := later(c, write("k0", at(1, 0), nil, "v"))
		synctest.Wait()
		var rest []direct
		for _, key := range []string{"k1", "k2", "k3"} {
			rest = append(rest, later(c, write(key, at(1, 0), nil, "v")))
		}
		disk.sync <- nil
		require1(t, storagepb.Status_OK, <-first)
		synctest.Wait()
		for _, r := range rest {
			require.Empty(t, r, "the sync that ran began before it was applied")
		}
		disk.sync <- nil
		for _, r := range rest {
			require1(t, storagepb.Status_OK, <-r)
		}
		require.EqualValues(t, 2, c.Stats().Syncs)
	})
}

func TestAFailedSyncAnswersFailedToMergesAndDiskToAllThatFollows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk := newSlowDisk()
		told := make(chan error, 1)
		c := open(t, disk, Config{OnFailure: func(err error) { told <- err }})
		w := later(c, write("k", at(1, 0), nil, "v"))
		r := later(c, read("k", storagepb.Kind_READ_STATE))
		broken := errors.New("input/output error")
		disk.sync <- broken
		require1(t, storagepb.Status_FAILED, <-w)
		require1(t, storagepb.Status_DISK, <-r)
		require.ErrorIs(t, c.Err(), broken)
		require.ErrorIs(t, <-told, broken)
		require1(t, storagepb.Status_DISK, c.Do(write("other", at(1, 0), nil, "v")))
		require1(t, storagepb.Status_DISK, c.Do(read("other", storagepb.Kind_READ_DIGEST)))
	})
}

func TestAFailedApplyAnswersFailedAndIsFinal(t *testing.T) {
	disk := newSlowDisk()
	c := open(t, disk, Config{})
	disk.apply = errors.New("input/output error")
	require1(t, storagepb.Status_FAILED, c.Do(write("k", at(1, 0), nil, "v")))
	disk.apply = nil
	require1(t, storagepb.Status_DISK, c.Do(write("k", at(1, 0), nil, "v")))
}

func TestAFullDiskRefusesMergesAndGoesOnReading(t *testing.T) {
	disk := newSlowDisk()
	c := open(t, disk, Config{NoSync: true})
	require1(t, storagepb.Status_OK, c.Do(write("k", at(1, 0), nil, "v")))
	disk.apply = ErrFull
	require1(t, storagepb.Status_DISK, c.Do(write("k", at(2, 0), nil, "w")))
	require1(t, storagepb.Status_OK, c.Do(read("k", storagepb.Kind_READ_STATE)))
	holds(t, c, "k", "v")
	disk.apply = nil
	require1(t, storagepb.Status_OK, c.Do(write("k", at(2, 0), nil, "w")))
	require.NoError(t, c.Err())
}

func TestAStateThatDoesNotDecodeIsDamageAndEndsTheNodesWork(t *testing.T) {
	m := NewMemory()
	c := open(t, m, Config{})
	c.Do(write("k", at(1, 0), nil, "v"))
	for _, r := range m.between(nil, nil) {
		require.NoError(t, m.Apply([]KV{{r.Key, []byte("garbage")}}))
	}
	require1(t, storagepb.Status_DISK, c.Do(read("k", storagepb.Kind_READ_STATE)))
	require.ErrorIs(t, c.Err(), ErrDamaged)
	require1(t, storagepb.Status_DISK, c.Do(write("k2", at(1, 0), nil, "v")))
}
