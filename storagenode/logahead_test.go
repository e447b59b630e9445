package storagenode

import (
	"bytes"
	"io"
	"syscall"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/stretchr/testify/require"
)

// A roomFS has room for a number of bytes, and fails with an error then.
type roomFS struct {
	vfs.FS
	room int
	err  error
}

func (f *roomFS) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	file, err := f.FS.Create(name, c)
	return roomFile{file, f}, err
}

type roomFile struct {
	vfs.File
	fs *roomFS
}

func (f roomFile) WriteAt(p []byte, at int64) (int, error) {
	n, err := f.File.WriteAt(p[:min(len(p), f.fs.room)], at)
	if f.fs.room -= n; err == nil && n < len(p) {
		err = f.fs.err
	}
	return n, err
}

func contents(t *testing.T, fs vfs.FS, name string) []byte {
	t.Helper()
	file, err := fs.Open(name)
	require.NoError(t, err)
	data, err := io.ReadAll(file)
	require.NoError(t, err)
	require.NoError(t, file.Close())
	return data
}

// writes writes blocks of a size until a number of bytes is written, and returns them, and how often the file grew.
func writes(t *testing.T, file vfs.File, size, total int, fill byte) (written []byte, grew int) {
	t.Helper()
	info, err := file.Stat()
	require.NoError(t, err)
	length := info.Size()
	for len(written) < total {
		p := bytes.Repeat([]byte{fill}, size)
		written = append(written, p...)
		n, err := file.Write(p) // which may change p, in Pebble's own tests
		require.NoError(t, err)
		require.Equal(t, size, n)
		info, err := file.Stat()
		require.NoError(t, err)
		if info.Size() != length {
			grew++
		}
		length = info.Size()
	}
	return written, grew
}

func TestALogGrowsInLargeStepsAndHasItsRecordsThenZeros(t *testing.T) {
	for _, size := range []int{1000, aheadBytes / 4, aheadBytes - 1, aheadBytes, aheadBytes + 1, 3*aheadBytes + 5} {
		fs := aheadFS{vfs.NewMem()}
		file, err := fs.Create("000001.log", vfs.WriteCategoryUnspecified)
		require.NoError(t, err)
		written, grew := writes(t, file, size, 4*aheadBytes, 'r')
		require.NoError(t, file.Close())
		require.LessOrEqual(t, grew, 5)
		data := contents(t, fs, "000001.log")
		require.Zero(t, len(data)%aheadBytes)
		require.LessOrEqual(t, len(data)-len(written), aheadBytes)
		require.True(t, bytes.Equal(written, data[:len(written)]))
		require.Empty(t, bytes.Trim(data[len(written):], "\x00"))
	}
}

func TestALogInThePlaceOfAnOldOneGrowsWhereThatEndedOnly(t *testing.T) {
	fs := aheadFS{vfs.NewMem()}
	file, err := fs.Create("000001.log", vfs.WriteCategoryUnspecified)
	require.NoError(t, err)
	_, _ = writes(t, file, 1000, 2*aheadBytes, 'o')
	require.NoError(t, file.Close())
	before := contents(t, fs, "000001.log")

	file, err = fs.ReuseForWrite("000001.log", "000002.log", vfs.WriteCategoryUnspecified)
	require.NoError(t, err)
	written, grew := writes(t, file, 500, len(before)-1000, 'r')
	require.Zero(t, grew)
	data := contents(t, fs, "000002.log")
	require.True(t, bytes.Equal(written, data[:len(written)]))
	require.True(t, bytes.Equal(before[len(written):], data[len(written):]))
	_, grew = writes(t, file, 500, 2000, 'r')
	require.Equal(t, 1, grew)
	require.NoError(t, file.Close())
}

func TestOtherFilesThanLogsHaveNoZerosBehindThem(t *testing.T) {
	fs := aheadFS{vfs.NewMem()}
	file, err := fs.Create("MANIFEST-000001", vfs.WriteCategoryUnspecified)
	require.NoError(t, err)
	written, _ := writes(t, file, 1000, 3000, 'm')
	require.NoError(t, file.Close())
	require.Equal(t, written, contents(t, fs, "MANIFEST-000001"))
}

func TestARecordForWhichThereIsRoomIsWrittenThoughTheZerosBehindItAreNot(t *testing.T) {
	for _, full := range []error{syscall.ENOSPC, syscall.EDQUOT} {
		fs := &roomFS{FS: vfs.NewMem(), room: 2500, err: full}
		file, err := aheadFS{fs}.Create("000001.log", vfs.WriteCategoryUnspecified)
		require.NoError(t, err)
		_, err = file.Write(bytes.Repeat([]byte{'r'}, 1000)) // and zeros in the rest of the room
		require.NoError(t, err)
		fs.room = 1600
		_, err = file.Write(bytes.Repeat([]byte{'r'}, 1600)) // beyond them
		require.NoError(t, err)
		_, err = file.Write([]byte{'r'})
		require.ErrorIs(t, err, full)
		require.NoError(t, file.Close())
		require.Equal(t, bytes.Repeat([]byte{'r'}, 2600), contents(t, fs, "000001.log"))
	}
}

func TestADiskThatFailsUnderTheZerosFailsTheWrite(t *testing.T) {
	fs := &roomFS{FS: vfs.NewMem(), room: 2500, err: syscall.EIO}
	file, err := aheadFS{fs}.Create("000001.log", vfs.WriteCategoryUnspecified)
	require.NoError(t, err)
	_, err = file.Write(bytes.Repeat([]byte{'r'}, 1000))
	require.ErrorIs(t, err, syscall.EIO)
	require.NoError(t, file.Close())
}
