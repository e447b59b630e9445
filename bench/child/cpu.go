package child

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// CPUTime is the processor time, until now, of all processes that this one has started, and that those
// have started, as far as they still run; 0 where /proc does not tell. It is counted in hundredths of a second.
func CPUTime() time.Duration {
	files, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return 0
	}
	children := map[int][]process{}
	for _, f := range files {
		text, err := os.ReadFile(f) //nolint:gosec // of /proc
		if err != nil {
			continue // it has ended meanwhile
		}
		if p, ok := parseStat(string(text)); ok {
			children[p.parent] = append(children[p.parent], p)
		}
	}
	var sum func(pid int) time.Duration
	sum = func(pid int) (all time.Duration) {
		for _, p := range children[pid] {
			all += p.cpu + sum(p.pid)
		}
		return all
	}
	return sum(os.Getpid())
}

// CPUTime is the processor time, until now, of the process; 0 where /proc does not tell.
func (c *Child) CPUTime() time.Duration {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", c.PID()))
	if err != nil {
		return 0
	}
	p, _ := parseStat(string(text))
	return p.cpu
}

type process struct {
	pid, parent int
	cpu         time.Duration
}

// parseStat reads proc_pid_stat(5). The second field is a name in parentheses, which may hold anything.
func parseStat(text string) (p process, ok bool) {
	const tick = 10 * time.Millisecond // USER_HZ is 100 on every Linux
	first, _, _ := strings.Cut(text, " ")
	fields := strings.Fields(text[strings.LastIndexByte(text, ')')+1:])
	if len(fields) < 13 {
		return p, false
	}
	numbers := make([]int, 0, 4)
	for _, f := range []string{first, fields[1], fields[11], fields[12]} {
		n, err := strconv.Atoi(f)
		if err != nil {
			return p, false
		}
		numbers = append(numbers, n)
	}
	return process{numbers[0], numbers[1], time.Duration(numbers[2]+numbers[3]) * tick}, true
}
