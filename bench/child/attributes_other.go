//go:build !linux

package child

import "syscall"

// attributes leaves a server to notice by its standard input that the program has ended.
func attributes() *syscall.SysProcAttr { return nil }
