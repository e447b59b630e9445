package load

import (
	"runtime"
	"syscall"
	"time"
)

// Process is what the process that drives the load spent on a call: generator, client and what else runs in it.
type Process struct {
	Allocs     float64       // heap objects per call
	Bytes      float64       // of heap per call
	CPU        time.Duration // user and system time per call
	AllCPU     time.Duration // the same and that of the servers; 0 where it is not known
	Goroutines int           // more than before the load began, the callers included
}

// A meter reads the process's counts at the start and at the end.
type meter struct {
	idle, goroutines int
	mem              runtime.MemStats
	cpu              time.Duration
}

func startMeter(idle int) *meter {
	m := &meter{idle: idle}
	runtime.ReadMemStats(&m.mem)
	m.cpu = CPUTime()
	return m
}

// look counts the goroutines of the moment.
func (m *meter) look() { m.goroutines = max(m.goroutines, runtime.NumGoroutine()-m.idle) }

func (m *meter) stop(calls int64) Process {
	m.look()
	cpu := CPUTime() - m.cpu
	var mem runtime.MemStats
	runtime.ReadMemStats(&mem)
	n := max(1, calls)
	return Process{
		Allocs:     float64(mem.Mallocs-m.mem.Mallocs) / float64(n),
		Bytes:      float64(mem.TotalAlloc-m.mem.TotalAlloc) / float64(n),
		CPU:        cpu / time.Duration(n),
		Goroutines: m.goroutines,
	}
}

// CPUTime is the user and system time that this process has had.
func CPUTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
