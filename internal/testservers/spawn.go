package testservers

import (
	"os/exec"
	"runtime"
)

// spawn starts the command on a thread that lives until the command has ended.
//
// The kernel ties a child to the thread that started it, not to the process:
//
//	a goroutine on thread 7 starts the server → another goroutine locks itself to thread 7 and
//	ends → Go ends thread 7 → the kernel kills the server
func spawn(cmd *exec.Cmd) (*child, error) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = attributes()
	}
	c := &child{exited: make(chan struct{})}
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		if err == nil {
			c.proc, c.pid = cmd.Process, cmd.Process.Pid
		}
		started <- err
		if err == nil {
			c.err = cmd.Wait()
			close(c.exited)
		}
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	return c, nil
}
