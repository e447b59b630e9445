//go:build linux || darwin

package storagenode

import "syscall"

// openFiles is how many files Pebble may keep open: half of what the process may,
// since connections are files too.
func openFiles() int {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return mostOpenFiles
	}
	return int(min(mostOpenFiles, limit.Cur/2))
}
