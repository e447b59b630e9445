package storagenode_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb/storagenode"
	"github.com/devrev/pairdb/storagepb"
)

// A flawFS fails one write or sync of a file whose name contains what is set, and
// works again.
type flawFS struct {
	vfs.FS
	in atomic.Pointer[string]
}

func (f *flawFS) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	file, err := f.FS.Create(name, c)
	return flawFile{file, f, name}, err
}

func (f *flawFS) ReuseForWrite(from, to string, c vfs.DiskWriteCategory) (vfs.File, error) {
	file, err := f.FS.ReuseForWrite(from, to, c)
	return flawFile{file, f, to}, err
}

type flawFile struct {
	vfs.File
	fs   *flawFS
	name string
}

func (f flawFile) hit() bool {
	in := f.fs.in.Load()
	return in != nil && strings.Contains(f.name, *in) && f.fs.in.CompareAndSwap(in, nil)
}

func (f flawFile) Write(p []byte) (int, error) {
	if f.hit() {
		return 0, syscall.EIO
	}
	return f.File.Write(p)
}

func (f flawFile) WriteAt(p []byte, at int64) (int, error) {
	if f.hit() {
		return 0, syscall.EIO
	}
	return f.File.WriteAt(p, at)
}

func (f flawFile) Sync() error {
	if f.hit() {
		return syscall.EIO
	}
	return f.File.Sync()
}

func (f flawFile) SyncData() error {
	if f.hit() {
		return syscall.EIO
	}
	return f.File.SyncData()
}

// What is written after a write that failed would rely on it: a manifest that
// names a table with a hole, the log that held the same data deleted.
func TestOneFailedWriteEndsTheNodesWorkAndWhatWasAcknowledgedIsThereAtTheNextStart(t *testing.T) {
	for _, in := range []string{".sst", ".log", "MANIFEST"} {
		t.Run(in, func(t *testing.T) {
			flaw := &flawFS{FS: vfs.NewMem()}
			n := openOn(t, flaw)
			acked := map[string][]string{}
			for i := range 50 {
				key, value := fmt.Sprint("key", i), fmt.Sprint("value", i)
				require.Equal(t, storagepb.Status_OK, storagenode.Do(n, merge(key, 1, []byte(value))).Status)
				acked[key] = []string{value}
			}
			flaw.in.Store(&in)
			a := storagenode.Do(n, merge("more", 1, []byte("v")))
			if a.Status == storagepb.Status_OK {
				acked["more"] = []string{"v"}
			}
			_ = storagenode.Flush(n)
			require.Nil(t, flaw.in.Load(), "the flaw was met")
			require.Equal(t, storagepb.Status_DISK, storagenode.Do(n, readOf("key1")).Status)
			require.ErrorIs(t, n.Err(), syscall.EIO)
			require.ErrorIs(t, n.Close(context.Background()), syscall.EIO, "Close says it again")

			requireAll(t, openOn(t, flaw), acked)
		})
	}
}

// Pebble writes a mark to the log that it leaves, and then uses an old one again.
func TestAFailedWriteBetweenTwoLogsEndsTheNodesWorkInGoodOrder(t *testing.T) {
	flaw := &flawFS{FS: vfs.NewMem()}
	n := openOn(t, flaw)
	acked := map[string][]string{}
	for i := range 6 { // until there are old logs
		require.NoError(t, storagenode.Flush(n))
		key := fmt.Sprint("key", i)
		require.Equal(t, storagepb.Status_OK, storagenode.Do(n, merge(key, 1, []byte("v"))).Status)
		acked[key] = []string{"v"}
	}
	in := ".log"
	flaw.in.Store(&in)
	_ = storagenode.Flush(n)
	require.Nil(t, flaw.in.Load(), "the flaw was met")
	require.Equal(t, storagepb.Status_DISK, storagenode.Do(n, readOf("key1")).Status)
	require.ErrorIs(t, n.Close(context.Background()), syscall.EIO)
	requireAll(t, openOn(t, flaw), acked)
}

// A plainFS cannot allocate space before it is written, as many file systems.
type plainFS struct{ vfs.FS }

func (f plainFS) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	file, err := f.FS.Create(name, c)
	return plainFile{file}, err
}

type plainFile struct{ vfs.File }

func (plainFile) Preallocate(int64, int64) error { return syscall.EOPNOTSUPP }

func TestAFileSystemThatAllocatesNothingAheadIsGoodEnough(t *testing.T) {
	// On the real file system: Pebble allocates where it has a file descriptor.
	n, err := storagenode.Open(t.TempDir(), self, storagenode.WithFS(plainFS{vfs.Default}))
	require.NoError(t, err)
	require.Equal(t, storagepb.Status_OK, storagenode.Do(n, merge("key", 1, []byte("v"))).Status)
	require.NoError(t, n.Err())
	require.NoError(t, n.Close(context.Background()))
}

func TestAFlushThatFailsWhenANodeWithoutSyncClosesIsTold(t *testing.T) {
	flaw := &flawFS{FS: vfs.NewMem()}
	n := openOn(t, flaw, storagenode.NoSync())
	require.Equal(t, storagepb.Status_OK, storagenode.Do(n, merge("key", 1, []byte("v"))).Status)
	in := ".sst"
	flaw.in.Store(&in)
	require.ErrorIs(t, n.Close(context.Background()), syscall.EIO)
}

func TestWhatPebbleLogsHasNoStacks(t *testing.T) {
	var said bytes.Buffer
	flaw := &flawFS{FS: vfs.NewMem()}
	n := openOn(t, flaw, storagenode.WithLogger(slog.New(slog.NewTextHandler(&said, &slog.HandlerOptions{Level: slog.LevelDebug}))))
	storagenode.PebbleFails(n)
	require.Error(t, n.Close(context.Background()))
	require.Equal(t, 3, strings.Count(said.String(), "database does not exist"), &said)
	require.NotContains(t, said.String(), ".go:")
}

// A stuckFS hangs in every write and sync from hang on until release.
type stuckFS struct {
	vfs.FS
	hang    atomic.Bool
	hung    chan struct{} // one element, once somebody waits
	release chan struct{}
}

func (f *stuckFS) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	file, err := f.FS.Create(name, c)
	return stuckFile{file, f}, err
}

type stuckFile struct {
	vfs.File
	fs *stuckFS
}

func (f stuckFile) wait() {
	if f.fs.hang.Load() {
		select {
		case f.fs.hung <- struct{}{}:
		default:
		}
		<-f.fs.release
	}
}

func (f stuckFile) Write(p []byte) (int, error) {
	f.wait()
	return f.File.Write(p)
}

func (f stuckFile) WriteAt(p []byte, at int64) (int, error) {
	f.wait()
	return f.File.WriteAt(p, at)
}

func (f stuckFile) Sync() error {
	f.wait()
	return f.File.Sync()
}

func (f stuckFile) SyncData() error {
	f.wait()
	return f.File.SyncData()
}

func TestCloseOnADiskThatHangsEndsWithItsContextAndSaysSo(t *testing.T) {
	stuck := &stuckFS{FS: vfs.NewMem(), hung: make(chan struct{}, 1), release: make(chan struct{})}
	n := openOn(t, stuck)
	stuck.hang.Store(true)
	group := sync.WaitGroup{}
	group.Go(func() { storagenode.Do(n, merge("key", 1, []byte("v"))) })
	<-stuck.hung
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, n.Close(ctx), context.Canceled)
	close(stuck.release)
	group.Wait()
	if err := n.Close(t.Context()); err != nil {
		require.NotContains(t, err.Error(), "not closed", "the disk works again")
	}
}

func TestAnOperationThatHangsIsLoggedWhileItDoes(t *testing.T) {
	stuck := &stuckFS{FS: vfs.NewMem(), hung: make(chan struct{}, 1), release: make(chan struct{})}
	said := make(lines, 100)
	e, err := storagenode.OpenPebbleOn(stuck, slog.New(slog.NewTextHandler(said, nil)), time.Millisecond)
	require.NoError(t, err)
	stuck.hang.Store(true)
	group := sync.WaitGroup{}
	group.Go(func() { _ = e.Sync() })
	for !strings.Contains(<-said, "the disk is slow") {
	}
	close(stuck.release)
	group.Wait()
	require.NoError(t, e.Close())
}

// lines is a log that a test waits for.
type lines chan string

func (l lines) Write(p []byte) (int, error) {
	select {
	case l <- string(p):
	default:
	}
	return len(p), nil
}
