package child

import "syscall"

// attributes has the kernel kill a server when the thread that started it ends, and keeps the terminal's
// interrupt from it: the program ends its servers itself.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
}
