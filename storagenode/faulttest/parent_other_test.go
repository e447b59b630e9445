//go:build unix && !linux

package faulttest

import "syscall"

// dieWithParent does nothing here: a test that is killed leaves its children behind.
func dieWithParent() *syscall.SysProcAttr { return nil }
