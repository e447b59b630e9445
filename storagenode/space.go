package storagenode

import (
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// How stale the last look at the disk may be. A look costs microseconds, and other
// processes write to the disk too: nodes that share it, above all.
const (
	spaceAge   = 100 * time.Millisecond
	spaceBytes = 1 << 20
)

// A space refuses writes while less than the reserve is free, so that Pebble,
// which cannot go on when a write fails, seldom meets a disk that is full.
type space struct {
	fs      vfs.FS
	dir     string
	reserve uint64
	log     *slog.Logger

	start   time.Time
	looked  atomic.Int64 // nanoseconds after start; the next look is spaceAge later
	written atomic.Int64 // bytes since then
	short   atomic.Pointer[error]
}

func newSpace(fs vfs.FS, dir string, reserve uint64, log *slog.Logger) *space {
	s := &space{fs: fs, dir: dir, reserve: reserve, log: log, start: time.Now()}
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

// look asks how much is free, and logs each crossing of the reserve.
func (s *space) look() {
	usage, err := s.fs.GetDiskUsage(s.dir)
	if err != nil || usage.AvailBytes >= s.reserve { // who cannot tell does not refuse
		if s.short.Swap(nil) != nil {
			s.log.Info("there is space again: merges are taken", "dir", s.dir, "free_mib", usage.AvailBytes>>20, "reserve_mib", s.reserve>>20)
		}
		return
	}
	full := fmt.Errorf("%w: %d MiB are free in %s, %d MiB are kept in reserve", ErrFull, usage.AvailBytes>>20, s.dir, s.reserve>>20)
	if s.short.Swap(&full) == nil {
		s.log.Warn("the disk is nearly full: merges are refused, reads go on; free space or lower --reserve-mib",
			"dir", s.dir, "free_mib", usage.AvailBytes>>20, "reserve_mib", s.reserve>>20)
	}
}
