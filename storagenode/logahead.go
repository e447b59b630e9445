package storagenode

import (
	"errors"
	"strings"
	"syscall"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// aheadBytes is how far a log is written with zeros before its records get there. A log that is cut off by a crash ends with
// up to as much, which the next start reads; the writing of them delays one record in a few hundred by about half a millisecond.
const aheadBytes = 256 << 10

// An aheadFS makes the syncs of Pebble's logs cheap. A sync of a file that has grown since the last one writes the file's
// size too, through the file system's journal, and one of blocks that are written for the first time writes that they are:
// twice the work for the disk, whose share of a merge is the largest. So a log grows in large steps, by zeros, and its
// records are written over them. (Allocating without writing helps with the size alone: with records of 4 KiB and more each
// sync found blocks that had not been written.)
//
// Pebble expects logs that go on after their last record: it writes new logs over old ones when it has some to spare.
// Zeros are no record. A log that was closed has a mark behind its last record, synced before the next log is made, and
// the last log may end anywhere (verify.go).
type aheadFS struct{ vfs.FS }

func (f aheadFS) Create(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	file, err := f.FS.Create(name, category)
	if err != nil || !strings.HasSuffix(name, suffixLog) {
		return file, err
	}
	return &aheadLog{File: file}, nil
}

// ReuseForWrite keeps what the old log has, which is as good as zeros: its records have another log's number.
func (f aheadFS) ReuseForWrite(from, to string, category vfs.DiskWriteCategory) (vfs.File, error) {
	file, err := f.FS.ReuseForWrite(from, to, category)
	if err != nil || !strings.HasSuffix(to, suffixLog) {
		return file, err
	}
	log := &aheadLog{File: file}
	if info, err := file.Stat(); err == nil {
		log.size = info.Size()
	}
	return log, nil
}

func (f aheadFS) Unwrap() vfs.FS { return f.FS }

// An aheadLog is a log that is being written, by one goroutine.
type aheadLog struct {
	vfs.File
	end  int64 // of what was written
	size int64 // of the file, as far as it is known
}

var zeros [aheadBytes]byte

// Write appends p to what was written. The zeros come after it, so that a disk that has room for p alone takes it; whether
// it has room for what follows the next write will tell.
func (l *aheadLog) Write(p []byte) (int, error) {
	n, err := l.File.WriteAt(p, l.end)
	l.end += int64(n)
	if err != nil || l.end <= l.size {
		return n, err
	}
	ahead, err := l.File.WriteAt(zeros[:aheadBytes-l.end%aheadBytes], l.end)
	l.size = l.end + int64(ahead)
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		err = nil
	}
	return n, err
}
