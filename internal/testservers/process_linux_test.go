package testservers

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// gone says that there is no such process, or that it waits for nothing but its parent.
func gone(pid int) bool {
	return syscall.Kill(pid, 0) != nil || state(pid) == "Z"
}

// state is the letter that the kernel has for what a process does; "" if there is none.
func state(pid int) string {
	text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return ""
	}
	return strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))[0]
}
