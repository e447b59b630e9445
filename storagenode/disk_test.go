package storagenode_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb/storagenode"
	"github.com/devrev/pairdb/storagepb"
)

// A fullFS fails every write and creation with ENOSPC once its bytes are used up.
type fullFS struct {
	vfs.FS
	left atomic.Int64
	free atomic.Uint64 // what GetDiskUsage reports
}

func (f *fullFS) take(n int) error {
	if f.left.Add(-int64(n)) < 0 {
		return &os.PathError{Op: "write", Path: "store", Err: syscall.ENOSPC}
	}
	return nil
}

func (f *fullFS) GetDiskUsage(string) (vfs.DiskUsage, error) {
	return vfs.DiskUsage{AvailBytes: f.free.Load(), TotalBytes: 1 << 40}, nil
}

func (f *fullFS) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	if err := f.take(0); err != nil {
		return nil, err
	}
	file, err := f.FS.Create(name, c)
	return fullFile{file, f}, err
}

func (f *fullFS) ReuseForWrite(from, to string, c vfs.DiskWriteCategory) (vfs.File, error) {
	file, err := f.FS.ReuseForWrite(from, to, c)
	return fullFile{file, f}, err
}

type fullFile struct {
	vfs.File
	fs *fullFS
}

func (f fullFile) Write(p []byte) (int, error) {
	if err := f.fs.take(len(p)); err != nil {
		return 0, err
	}
	return f.File.Write(p)
}

func (f fullFile) WriteAt(p []byte, at int64) (int, error) {
	if err := f.fs.take(len(p)); err != nil {
		return 0, err
	}
	return f.File.WriteAt(p, at)
}

func TestADiskThatFillsUpEndsTheNodesWorkAndLosesNothingAcknowledged(t *testing.T) {
	for _, room := range []int64{64 << 10, 512 << 10, 2 << 20} {
		t.Run(fmt.Sprint(room), func(t *testing.T) {
			disk := vfs.NewCrashableMem()
			full := &fullFS{FS: disk}
			full.left.Store(1 << 40)
			n := openOn(t, full, storagenode.Reserve(0))
			full.left.Store(room)
			acks := &acknowledgements{list: map[string][]string{}}
			load(n, acks, nil).Wait() // until each writer was told DISK

			require.ErrorIs(t, n.Err(), syscall.ENOSPC)
			require.Equal(t, storagepb.Status_DISK, storagenode.Do(n, readOf("key0/1")).Status)
			require.ErrorIs(t, n.Close(context.Background()), syscall.ENOSPC, "Close says it again")

			again := openOn(t, disk.CrashClone(vfs.CrashCloneCfg{}))
			require.Equal(t, n.StoreID(), again.StoreID())
			require.NotEmpty(t, acks.copy())
			requireAll(t, again, acks.copy())
		})
	}
}

func TestBeforeTheDiskIsFullMergesAreRefusedAndReadsGoOn(t *testing.T) {
	full := &fullFS{FS: vfs.NewMem()}
	full.left.Store(1 << 40)
	full.free.Store(300 << 20)
	var said bytes.Buffer
	n := openOn(t, full, storagenode.WithLogger(slog.New(slog.NewTextHandler(&said, nil))))
	require.Equal(t, storagepb.Status_OK, storagenode.Do(n, merge("a", 1, []byte("v"))).Status)
	full.free.Store(200 << 20)
	storagenode.LookAtTheDisk(n)
	storagenode.LookAtTheDisk(n)
	require.Equal(t, 1, strings.Count(said.String(), "free_mib=200 reserve_mib=256"), "once: %s", &said)
	require.Contains(t, said.String(), "free space or lower --reserve-mib")
	a := storagenode.Do(n, merge("b", 1, []byte("v")))
	require.Equal(t, storagepb.Status_DISK, a.Status)
	require.Contains(t, a.Detail, "200 MiB are free")
	require.Len(t, storagenode.Do(n, readOf("a")).State.Siblings, 1)
	require.NoError(t, n.Err())
	full.free.Store(300 << 20)
	storagenode.LookAtTheDisk(n)
	require.Equal(t, 1, strings.Count(said.String(), "there is space again"))
	require.Equal(t, storagepb.Status_OK, storagenode.Do(n, merge("b", 1, []byte("v"))).Status)
}

// filled makes a store of 100 keys in a directory, flushed to tables or left in
// the log, as if the process had been killed.
func filled(t *testing.T, flush bool) (dir string) {
	t.Helper()
	made := t.TempDir()
	n, err := storagenode.Open(made, self)
	require.NoError(t, err)
	for i := range 100 {
		a := storagenode.Do(n, merge(fmt.Sprint("key", i), 1, fmt.Appendf(nil, "%0200d", i)))
		require.Equal(t, storagepb.Status_OK, a.Status)
	}
	if flush {
		require.NoError(t, storagenode.Flush(n))
	}
	dir = t.TempDir()
	require.NoError(t, os.CopyFS(dir, os.DirFS(made))) // as a killed process leaves it
	require.NoError(t, n.Close(context.Background()))
	return dir
}

// files returns the store's files that match, and that hold something.
func files(t *testing.T, dir, pattern string) (found []string) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "data", pattern))
	require.NoError(t, err)
	for _, name := range names {
		if info, err := os.Stat(name); err == nil && info.Size() > 0 {
			found = append(found, name)
		}
	}
	require.NotEmpty(t, found, pattern)
	return found
}

// change rewrites the contents of files.
func change(t *testing.T, names []string, how func([]byte) []byte) {
	t.Helper()
	for _, name := range names {
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(name, how(text), 0o600))
	}
}

// honest opens a damaged store. Either that fails, or each key is answered with
// what was acknowledged, or with DISK: nothing is missing and nothing is invented.
func honest(t *testing.T, dir string) {
	t.Helper()
	n, err := storagenode.Open(dir, self)
	if err != nil {
		t.Logf("opening says: %v", err)
		require.ErrorIs(t, err, storagenode.ErrDamaged)
		return
	}
	defer func() { _ = n.Close(context.Background()) }()
	refused := 0
	for i := range 100 {
		a := storagenode.Do(n, readOf(fmt.Sprint("key", i)))
		if a.Status == storagepb.Status_DISK {
			refused++
			continue
		}
		require.Equal(t, storagepb.Status_OK, a.Status)
		require.Len(t, a.State.Siblings, 1, "key%d is missing", i)
		require.Equal(t, fmt.Sprintf("%0200d", i), string(a.State.Siblings[0].Value))
	}
	require.NotZero(t, refused, "the damage was not noticed")
	t.Logf("operations say: %v", n.Err())
	require.Equal(t, storagepb.Status_DISK, storagenode.Do(n, merge("new", 1, nil)).Status)
}

// flipped changes bytes of a file, not of the zeros that end it.
func flipped(text []byte) []byte {
	written := bytes.TrimRight(text, "\x00")
	for i := len(written) / 4; i < len(written)/2; i += 64 {
		text[i] ^= 0xff
	}
	return text
}

func TestADamagedTableIsNoticedAndNothingIsAnsweredFromIt(t *testing.T) {
	dir := filled(t, true)
	change(t, files(t, dir, "*.sst"), flipped)
	honest(t, dir)
}

func TestADamagedLogIsNoticed(t *testing.T) {
	dir := filled(t, false)
	change(t, files(t, dir, "*.log"), flipped)
	honest(t, dir)
}

func TestAMissingTableIsNoticed(t *testing.T) {
	dir := filled(t, true)
	for _, name := range files(t, dir, "*.sst") {
		require.NoError(t, os.Remove(name))
	}
	honest(t, dir)
}

func removeLogs(t *testing.T, dir string) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "data", "*.log"))
	require.NoError(t, err)
	require.NotEmpty(t, names)
	for _, name := range names {
		require.NoError(t, os.Remove(name))
	}
}

func TestAMissingLogIsNoticed(t *testing.T) {
	for _, flush := range []bool{false, true} {
		dir := filled(t, flush)
		removeLogs(t, dir)
		_, err := storagenode.Open(dir, self)
		require.ErrorIs(t, err, storagenode.ErrDamaged)
		require.ErrorContains(t, err, ".log is missing")
	}
}

// An old log that came back in the place of the one that is needed is no log.
func TestALogThatTheManifestHasGoneBeyondDoesNotStandInForTheOneItNeeds(t *testing.T) {
	dir := filled(t, true)
	removeLogs(t, dir)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "data", "000001.log"), nil, 0o600))
	_, err := storagenode.Open(dir, self)
	require.ErrorIs(t, err, storagenode.ErrDamaged)
}

func TestADamagedManifestIsNoticed(t *testing.T) {
	dir := filled(t, true)
	change(t, files(t, dir, "MANIFEST-*"), flipped)
	honest(t, dir)
}

func TestAStoreWithoutItsManifestIsNotTakenForAnEmptyOne(t *testing.T) {
	dir := filled(t, true)
	names, err := filepath.Glob(filepath.Join(dir, "data", "*"))
	require.NoError(t, err)
	for _, name := range names {
		require.NoError(t, os.Remove(name))
	}
	honest(t, dir)
}

func TestASecondNodeOnTheSameDirectoryIsRefused(t *testing.T) {
	dir := t.TempDir()
	n, err := storagenode.Open(dir, self)
	require.NoError(t, err)
	_, err = storagenode.Open(dir, self)
	require.ErrorIs(t, err, storagenode.ErrLocked)
	require.NoError(t, n.Close(context.Background()))
	n, err = storagenode.Open(dir, self)
	require.NoError(t, err)
	require.NoError(t, n.Close(context.Background()))
}

func TestAStoreThatCannotBeLockedIsNotCalledInUse(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "data", "LOCK"), 0o700))
	_, err := storagenode.Open(dir, self)
	require.ErrorIs(t, err, syscall.EISDIR)
	require.NotErrorIs(t, err, storagenode.ErrLocked)
}

// An update of Pebble must not raise it by itself: there is no way back.
func TestAStoreHasThePinnedFormat(t *testing.T) {
	found, err := pebble.Peek(filepath.Join(filled(t, true), "data"), vfs.Default)
	require.NoError(t, err)
	require.EqualValues(t, 24, found.FormatMajorVersion)
}

func TestADirectoryThatCannotBeMadeIsAClearError(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	_, err := storagenode.Open(filepath.Join(file, "store"), self)
	require.ErrorContains(t, err, file)
	require.ErrorIs(t, err, syscall.ENOTDIR)
}
