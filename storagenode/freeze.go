package storagenode

import (
	"io"
	"os"
	"sync"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// A freezingFS passes everything on until the first operation that was to change
// the disk fails. From then on it changes nothing and claims success, so that the
// disk stays as a crash at that moment would have left it.
//
// Why it does not hand the error on: Pebble has no way to go on after a failed
// write of its log or manifest. It panics with its locks held, or asks its logger
// to end the process. Neither is for a library to do. With the disk frozen Pebble
// can be closed in good order; the engine reports the failure to its callers.
//
// The order of things is kept: what follows a failed operation starts after the
// freeze, so nothing reaches the disk that relied on what did not.
type freezingFS struct {
	vfs.FS
	onFailure func(error) // called once, from whatever goroutine failed; must not block

	mu      sync.RWMutex // guards failure
	failure error
}

// failed returns the error that froze the disk; nil while it works.
func (f *freezingFS) failed() error {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.failure
}

// freeze makes err final, unless another one is.
func (f *freezingFS) freeze(err error) {
	f.mu.Lock()
	first := f.failure == nil
	if first {
		f.failure = err
	}
	f.mu.Unlock()
	if first {
		f.onFailure(err)
	}
}

// change runs an operation that changes the disk, or swallows it.
func (f *freezingFS) change(operation func() error) {
	if f.failed() != nil {
		return
	}
	if err := operation(); err != nil {
		f.freeze(err)
	}
}

func (f *freezingFS) file(open func() (vfs.File, error)) (vfs.File, error) {
	var file vfs.File
	f.change(func() (err error) {
		file, err = open()
		return err
	})
	if file == nil {
		return hole{}, nil
	}
	return &freezingFile{File: file, fs: f}, nil
}

func (f *freezingFS) Create(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	return f.file(func() (vfs.File, error) { return f.FS.Create(name, category) })
}

func (f *freezingFS) OpenReadWrite(name string, category vfs.DiskWriteCategory, opts ...vfs.OpenOption) (vfs.File, error) {
	return f.file(func() (vfs.File, error) { return f.FS.OpenReadWrite(name, category, opts...) })
}

func (f *freezingFS) ReuseForWrite(from, to string, category vfs.DiskWriteCategory) (vfs.File, error) {
	return f.file(func() (vfs.File, error) { return f.FS.ReuseForWrite(from, to, category) })
}

// OpenDir returns a directory whose Sync is watched; one that is missing is the
// caller's to handle.
func (f *freezingFS) OpenDir(name string) (vfs.File, error) {
	dir, err := f.FS.OpenDir(name)
	if err != nil {
		return nil, err
	}
	return &freezingFile{File: dir, fs: f}, nil
}

func (f *freezingFS) Link(from, to string) error {
	f.change(func() error { return f.FS.Link(from, to) })
	return nil
}

func (f *freezingFS) Rename(from, to string) error {
	f.change(func() error { return f.FS.Rename(from, to) })
	return nil
}

func (f *freezingFS) MkdirAll(dir string, perm os.FileMode) error {
	f.change(func() error { return f.FS.MkdirAll(dir, perm) })
	return nil
}

// Remove hands its errors on: a file that stays is no harm.
func (f *freezingFS) Remove(name string) error {
	if f.failed() != nil {
		return nil
	}
	return f.FS.Remove(name)
}

func (f *freezingFS) RemoveAll(name string) error {
	if f.failed() != nil {
		return nil
	}
	return f.FS.RemoveAll(name)
}

func (f *freezingFS) Unwrap() vfs.FS { return f.FS }

// A freezingFile watches the writes and syncs of one file.
type freezingFile struct {
	vfs.File
	fs *freezingFS
}

func (f *freezingFile) Write(p []byte) (int, error) {
	f.fs.change(func() error {
		_, err := f.File.Write(p)
		return err
	})
	return len(p), nil
}

func (f *freezingFile) WriteAt(p []byte, at int64) (int, error) {
	f.fs.change(func() error {
		_, err := f.File.WriteAt(p, at)
		return err
	})
	return len(p), nil
}

func (f *freezingFile) Sync() error {
	f.fs.change(f.File.Sync)
	return nil
}

func (f *freezingFile) SyncData() error {
	f.fs.change(f.File.SyncData)
	return nil
}

func (f *freezingFile) SyncTo(length int64) (fullSync bool, err error) {
	f.fs.change(func() error {
		fullSync, err = f.File.SyncTo(length)
		return err
	})
	return fullSync, nil
}

// Preallocate hands its errors on. It is an advice: many file systems do not take
// it, a signal may interrupt it, and Pebble goes on without. On a disk that is
// full the write that follows fails.
func (f *freezingFile) Preallocate(offset, length int64) error {
	if f.fs.failed() != nil {
		return nil
	}
	return f.File.Preallocate(offset, length)
}

// Close is not an operation that Pebble relies on for its data: it syncs before.
func (f *freezingFile) Close() error {
	err := f.File.Close()
	if f.fs.failed() != nil {
		return nil
	}
	return err
}

// A hole is a file that a frozen disk makes: writes vanish, nothing can be read. It has a size, since Pebble asks for
// that of a log that it uses again, and does not survive an error.
type hole struct{}

type empty struct{ vfs.FileInfo }

func (empty) Size() int64 { return 0 }

func (hole) Close() error                              { return nil }
func (hole) Read([]byte) (int, error)                  { return 0, io.EOF }
func (hole) ReadAt([]byte, int64) (int, error)         { return 0, io.EOF }
func (hole) Write(p []byte) (int, error)               { return len(p), nil }
func (hole) WriteAt(p []byte, _ int64) (int, error)    { return len(p), nil }
func (hole) Preallocate(int64, int64) error            { return nil }
func (hole) Stat() (vfs.FileInfo, error)               { return empty{}, nil }
func (hole) Sync() error                               { return nil }
func (hole) SyncTo(int64) (bool, error)                { return true, nil }
func (hole) SyncData() error                           { return nil }
func (hole) Prefetch(offset int64, length int64) error { return nil }
func (hole) Fd() uintptr                               { return vfs.InvalidFd }
