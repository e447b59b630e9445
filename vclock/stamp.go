package vclock

import (
	"fmt"
	"time"
)

// A Stamp is a hybrid logical clock reading: the upper 48 bits are Unix
// milliseconds, the lower 16 bits a counter that keeps stamps of one
// millisecond apart (Kulkarni et al., "Logical Physical Clocks", 2014).
// The zero Stamp is before every real one and names no write.
type Stamp uint64

const (
	counterBits = 16

	// MaxMillis is the last Unix millisecond that a Stamp can hold, in the year 10889.
	MaxMillis int64 = 1<<48 - 1
)

// StampAt returns the first stamp of the millisecond that holds t.
// Times before 1970 or after MaxMillis are clamped to the nearest end.
func StampAt(t time.Time) Stamp { return StampOf(t.UnixMilli(), 0) }

// StampOf packs Unix milliseconds, clamped to [0, MaxMillis], and a counter.
func StampOf(millis int64, counter uint16) Stamp {
	return Stamp(min(max(millis, 0), MaxMillis))<<counterBits | Stamp(counter)
}

// Millis returns the stamp's Unix milliseconds.
func (s Stamp) Millis() int64 { return int64(s >> counterBits) }

// Counter returns the stamp's place within its millisecond.
func (s Stamp) Counter() uint16 { return uint16(s) }

// Time returns the stamp's physical part, in UTC.
func (s Stamp) Time() time.Time { return time.UnixMilli(s.Millis()).UTC() }

// String returns the physical part in RFC 3339 with milliseconds, then the
// counter, for logs: 2026-01-02T15:04:05.678Z+3. The zero Stamp is "never".
func (s Stamp) String() string {
	if s == 0 {
		return "never"
	}
	return fmt.Sprintf("%s+%d", s.Time().Format("2006-01-02T15:04:05.000Z"), s.Counter())
}
