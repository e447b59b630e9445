package storagenode

import (
	"fmt"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// How stale the last look at the disk may be.
const (
	spaceAge   = time.Second
	spaceBytes = 4 << 20
)

// A space refuses writes while less than the reserve is free, so that Pebble,
// which cannot go on when a write fails, seldom meets a disk that is full.
type space struct {
	fs      vfs.FS
	dir     string
	reserve uint64

	start   time.Time
	looked  atomic.Int64 // nanoseconds after start; the next look is a second later
	written atomic.Int64 // bytes since then
	short   atomic.Pointer[error]
}

func newSpace(fs vfs.FS, dir string, reserve uint64) *space {
	s := &space{fs: fs, dir: dir, reserve: reserve, start: time.Now()}
	s.looked.Store(-int64(spaceAge))
	return s
}

// check returns an error that wraps ErrFull if bytes more should not be written.
func (s *space) check(bytes int) error {
	if s.reserve == 0 {
		return nil
	}
	written := s.written.Add(int64(bytes))
	now, looked := int64(time.Since(s.start)), s.looked.Load()
	if (now-looked >= int64(spaceAge) || written >= spaceBytes) && s.looked.CompareAndSwap(looked, now) {
		s.written.Store(0)
		s.look()
	}
	if short := s.short.Load(); short != nil {
		return *short
	}
	return nil
}

func (s *space) look() {
	usage, err := s.fs.GetDiskUsage(s.dir)
	if err != nil || usage.AvailBytes >= s.reserve { // who cannot tell does not refuse
		s.short.Store(nil)
		return
	}
	full := fmt.Errorf("%w: %d MiB are free in %s, %d MiB are kept in reserve", ErrFull, usage.AvailBytes>>20, s.dir, s.reserve>>20)
	s.short.Store(&full)
}
