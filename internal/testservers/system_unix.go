//go:build unix

package testservers

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// The signals that ask a server to end. Each is to PostgreSQL's taste: INT ends the sessions too, QUIT
// leaves recovery to the next start. Redis ends on TERM.
const (
	fastStop      = syscall.SIGINT
	immediateStop = syscall.SIGQUIT
	politeStop    = syscall.SIGTERM
)

// freeze stops a process and its children. It starts with the parent, which then makes no more of them.
func freeze(pid int) {
	_ = syscall.Kill(pid, syscall.SIGSTOP) // an error means that it has ended
	for _, p := range childrenOf(pid) {
		_ = syscall.Kill(p, syscall.SIGSTOP)
	}
}

func thaw(pid int) {
	for _, p := range childrenOf(pid) {
		_ = syscall.Kill(p, syscall.SIGCONT)
	}
	_ = syscall.Kill(pid, syscall.SIGCONT)
}

// kill ends a process and its children. A parent that is stopped reaps nobody, so that no
// process id changes its owner in between; and when the parent ends, nobody
// uses the memory that they shared any more.
func kill(pid int) {
	_ = syscall.Kill(pid, syscall.SIGSTOP)
	for range 200 {
		left := childrenOf(pid)
		if len(left) == 0 {
			break
		}
		for _, p := range left {
			_ = syscall.Kill(p, syscall.SIGKILL)
		}
		time.Sleep(askEvery / 2)
	}
	_ = syscall.Kill(pid, syscall.SIGKILL)
}

// childrenOf lists the children that run. (PostgreSQL's leave its process group.)
func childrenOf(pid int) []int {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	if len(stats) == 0 {
		return childrenByPS(pid)
	}
	var found []int
	for _, path := range stats {
		text, err := os.ReadFile(path) //nolint:gosec // the kernel's
		if err != nil {
			continue // it has ended
		}
		// 4711 (the name, any bytes) S 4242 …
		_, rest, _ := strings.Cut(string(text[strings.LastIndexByte(string(text), ')')+1:]), " ")
		fields := strings.Fields(rest)
		if len(fields) < 2 || fields[0] == "Z" || fields[1] != strconv.Itoa(pid) {
			continue
		}
		if p, err := strconv.Atoi(filepath.Base(filepath.Dir(path))); err == nil {
			found = append(found, p)
		}
	}
	return found
}

func childrenByPS(pid int) []int {
	out, err := exec.Command("ps", "-A", "-o", "pid=", "-o", "ppid=", "-o", "state=").Output()
	if err != nil {
		return nil
	}
	var found []int
	for line := range strings.Lines(string(out)) {
		f := strings.Fields(line)
		if len(f) < 3 || f[1] != strconv.Itoa(pid) || strings.HasPrefix(f[2], "Z") {
			continue
		}
		if p, err := strconv.Atoi(f[0]); err == nil {
			found = append(found, p)
		}
	}
	return found
}
