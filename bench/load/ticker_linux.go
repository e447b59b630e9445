package load

import (
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// A ticker pauses for tenths of a millisecond. An idle Go process sleeps in epoll_wait, whose unit is the
// millisecond, and so time.Sleep is up to one late: more than many a call takes. A timer that is a file
// descriptor wakes the same epoll_wait when it is due.
type ticker struct {
	least time.Duration
	fd    int
	file  *os.File // nil: fall back to time.Sleep
	count [8]byte
}

func newTicker(least time.Duration) *ticker {
	t := &ticker{least: least}
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err == nil {
		t.fd, t.file = fd, os.NewFile(uintptr(fd), "timer")
	}
	return t
}

// wait waits for d, or for the least pause if that is longer.
func (t *ticker) wait(d time.Duration) {
	d = max(d, t.least)
	if t.file != nil {
		once := unix.ItimerSpec{Value: unix.NsecToTimespec(int64(d))}
		if unix.TimerfdSettime(t.fd, 0, &once, nil) == nil {
			if _, err := t.file.Read(t.count[:]); err == nil {
				return
			}
		}
	}
	time.Sleep(d)
}

func (t *ticker) close() {
	if t.file != nil {
		_ = t.file.Close()
	}
}
