//go:build unix && !linux

package testservers

import "syscall"

// attributes cannot tie a child to us here: a process that is killed leaves its servers behind.
func attributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
